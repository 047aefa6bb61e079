/** EdgeMesh as cluster objects. A Service joins the mesh by its labels: {@link MESH_LABELS}. */

import { createHash } from 'node:crypto'
import { parseAllDocuments, parseDocument } from 'yaml'
import { mergeInto } from '../config/components.ts'
import type { PlainDocument } from '../config/types.ts'
import { render } from '../templates.ts'

/** Where Pods on edges find EdgeMesh's DNS. */
export const MESH_DNS = '169.254.96.16'

/** On edge nodes: which mode MetaServer has there, so that each gets the agent that fits. */
export const METASERVER_LABEL = 'edgeadm.io/metaserver'

/** What takes a Service into the mesh, and away from kube-proxy, so that it does not matter whose rules come first. */
export const MESH_LABELS = [
  'service.edgemesh.kubeedge.io/service-proxy-name=edgemesh',
  'service.kubernetes.io/service-proxy-name=edgemesh',
] as const

export interface Relay {
  readonly nodeName: string
  readonly advertiseAddress: readonly string[]
}

/** On the configurations whose relays are {@link FOLLOW_MASTERS}: a master that joins later is added there. */
export const RELAYS_LABEL = 'edgeadm.io/relays'
export const FOLLOW_MASTERS = 'masters'

export interface MeshRelays {
  readonly relays: readonly Relay[]
  /** Nobody named them: they are the masters that there are. */
  readonly followMasters: boolean
}

/** On the Pods: a relay learns only at its start that it is one, and which addresses it has; a change starts them afresh. */
export const RELAYS_ANNOTATION = 'edgeadm.io/relays-hash'

export const hashOf = (content: object) =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16)

const EDGE = 'node-role.kubernetes.io/edge'

const onEdges = (mode: string) => ({
  name: `edge-${mode}`,
  metaServer: mode,
  nodes: [
    { key: EDGE, operator: 'Exists' },
    { key: METASERVER_LABEL, operator: 'In', values: [mode] },
  ],
})

const AGENTS = [
  { name: 'cloud', metaServer: 'none', nodes: [{ key: EDGE, operator: 'DoesNotExist' }] },
  onEdges('secure'),
  onEdges('plain'),
] as const

/** What each of the gateway's objects carries, and what a Gateway selects it by. */
export const GATEWAY_LABEL = 'kubeedge=edgemesh-gateway'

/** What may go when there is no gateway any more; the rest is found by {@link GATEWAY_LABEL}. */
export const GATEWAY_RIGHTS = [
  'edgemesh-gateway',
  'edgemesh-gateway-secrets',
  'edgemesh-gateway-edge',
] as const

/**
 * The gateway on the nodes of these names, whether they have joined yet or not. Which configuration a node needs shows in
 * its labels when it joins, as for the agents.
 * @param onEdges false: CloudCore cannot keep the cluster's Secrets from it, so it runs on nodes of the cloud alone
 */
export function gatewayManifest(
  image: string,
  relays: MeshRelays,
  nodes: readonly string[],
  onEdges: boolean,
): string {
  const gateways = AGENTS.filter(({ name }) => onEdges || name === 'cloud').map((agent) => ({
    ...agent,
    // A term can name one node only.
    terms: nodes.map((node) => ({
      matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }],
      matchExpressions: agent.nodes,
    })),
  }))
  return render('edge/mesh/gateway.yaml', { image, ...relayData(relays), nodes, gateways })
}

/** Rights, configurations and agents, in this order. @param added what the user adds to the agents' configuration */
export function meshManifest(image: string, relays: MeshRelays, added: PlainDocument = {}): string {
  const text = render('edge/mesh/agent.yaml', { image, ...relayData(relays), agents: AGENTS })
  if (Object.keys(added).length === 0) return text
  return parseAllDocuments(text)
    .map((document) => {
      const configuration = document.getIn(['data', AGENT_CONFIG])
      if (typeof configuration === 'string')
        document.setIn(['data', AGENT_CONFIG], withParts(configuration, added))
      // An agent reads its configuration at its start alone.
      else if (document.get('kind') === 'DaemonSet')
        document.setIn([...POD_ANNOTATIONS, 'edgeadm.io/configuration-hash'], hashOf(added))
      return document.toString({ lineWidth: 0 })
    })
    .join('---\n')
}

const AGENT_CONFIG = 'edgemesh-agent.yaml'
const POD_ANNOTATIONS = ['spec', 'template', 'metadata', 'annotations']

function withParts(configuration: string, added: PlainDocument): string {
  const document = parseDocument(configuration)
  mergeInto(document, added)
  return document.toString({ lineWidth: 0 })
}

const relayData = ({ relays, followMasters }: MeshRelays) => ({
  relays,
  relaysHash: hashOf(relays),
  relaysAre: followMasters ? FOLLOW_MASTERS : 'given',
})
