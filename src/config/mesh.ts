/** `--edgemesh…`: Services across edges. */

import { isIPv4 } from 'node:net'
import { EDGE_KIND } from './edge-configuration.ts'
import { field, type Inputs } from './inputs.ts'
import { subdomainProblem } from './names.ts'
import type { Problems } from './problems.ts'

/** Has it built in: https://edgemesh.netlify.app/guide/ ("clusterDomain") */
export const MESH_DNS_DOMAIN = 'cluster.local'

export interface MeshRelay {
  readonly nodeName: string
  /** IPv4, where other nodes reach it; empty: the node's own. */
  readonly addresses: readonly string[]
}

export interface MeshSettings {
  /** `--edgemesh`: undefined means "when the package has it". */
  readonly edgeMesh: boolean | undefined
  /** `--edgemesh-relay`, repeatable: nodes that relay for edges that cannot dial each other. Empty: the masters. */
  readonly edgeMeshRelays: readonly MeshRelay[]
  /** `--edgemesh-gateway`, repeatable: names of nodes that let traffic from outside into the mesh. */
  readonly edgeMeshGateways: readonly string[]
}

const edge = (path: string) => field(EDGE_KIND, path)

export function resolveMesh(inputs: Inputs, problems: Problems): MeshSettings {
  const edgeMesh = inputs.bool('edgemesh', edge('edge.edgeMesh'))?.value
  const relays = inputs.list('edgemesh-relay', edge('edge.edgeMeshRelays'))
  const parsed: MeshRelay[] = []
  for (const text of relays?.value ?? []) {
    const relay = parseRelay(text)
    if (typeof relay === 'string') problems.add(relays?.where ?? '', relay)
    else if (parsed.some(({ nodeName }) => nodeName === relay.nodeName))
      problems.add(relays?.where ?? '', `the node ${relay.nodeName} is named twice`)
    else parsed.push(relay)
  }
  const gateways = inputs.list('edgemesh-gateway', edge('edge.edgeMeshGateways'))
  for (const name of gateways?.value ?? []) {
    const problem = subdomainProblem(name)
    if (problem) problems.add(gateways?.where ?? '', problem)
  }
  for (const part of [relays, gateways])
    if (edgeMesh === false && part !== undefined && part.value.length > 0)
      problems.add(part.where, 'there is no EdgeMesh for it with --edgemesh=false')
  return { edgeMesh, edgeMeshRelays: parsed, edgeMeshGateways: [...new Set(gateways?.value ?? [])] }
}

/** `NODE` or `NODE=ADDRESS,…`. @returns the relay, or a sentence */
export function parseRelay(text: string): MeshRelay | string {
  const [nodeName = '', list, ...others] = text.split('=')
  if (others.length > 0 || list === '' || nodeName.includes(','))
    return `"${text}" is not NODE or NODE=ADDRESS,…; each node needs a word of its own`
  const problem = subdomainProblem(nodeName)
  if (problem) return problem
  const addresses = list?.split(',') ?? []
  // EdgeMesh leaves out a relay with anything else without a word.
  const wrong = addresses.find((address) => !isIPv4(address))
  return wrong === undefined
    ? { nodeName, addresses }
    : `"${wrong}" of the relay ${nodeName} is not an IPv4 address, and EdgeMesh takes no other`
}
