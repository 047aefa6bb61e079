/** The node's own settings: name, runtime socket, labels, taints. */

import { isIP } from 'node:net'
import type { Taint } from './edge-configuration.ts'
import { type Field, field, type Sourced } from './inputs.ts'
import {
  checkTaint,
  labelKeyProblem,
  labelValueProblem,
  nodeNameProblem,
  ownLabelProblem,
  parseLabel,
  parseTaint,
} from './names.ts'
import { DEFAULT_CRI_SOCKET, edge, type Resolution } from './resolve-common.ts'
import type { HostFacts, NodeSettings } from './types.ts'

export interface NodeAddress {
  /** Unless `--node-ip` says otherwise. */
  readonly address: string
  /** Whether the user named it. */
  readonly isGiven: boolean
}

const isLocal = ({ interfaces }: HostFacts, address: string): boolean =>
  interfaces.some((one) => one.addresses.some((other) => other.address === address))

/** `--node-ip`: one address, or one of each family. */
function resolveNodeIp({ inputs, problems }: Resolution, facts: HostFacts): Sourced<string[]> | undefined {
  const given = inputs.text('node-ip', edge('node.ip'))
  if (!given) return undefined
  const addresses = given.value.split(',').map((word) => word.trim())
  for (const address of addresses) {
    if (isIP(address) === 0) problems.add(given.where, `"${address}" is not an IPv4 or IPv6 address`)
    else if (!isLocal(facts, address))
      problems.add(given.where, `no interface of this machine has ${address}`)
  }
  if (addresses.length > 2 || new Set(addresses.map(isIP)).size < addresses.length)
    problems.add(given.where, 'takes one address, or an IPv4 and an IPv6 address separated by a comma')
  return { value: addresses, where: given.where }
}

/** Of a master it is the advertise address, too, unless that is named. */
export function firstNodeIp(resolution: Resolution, facts: HostFacts): Sourced<string> | undefined {
  const given = resolveNodeIp(resolution, facts)
  return given && { value: given.value[0] as string, where: given.where }
}

export function resolveNode(
  resolution: Resolution,
  kind: 'InitConfiguration' | 'JoinConfiguration',
  facts: HostFacts,
  { address, isGiven }: NodeAddress,
): NodeSettings {
  const { inputs, problems } = resolution
  const own = resolveNodeIp(resolution, facts)?.value
  const registration = (path: string) => field(kind, `nodeRegistration.${path}`)
  const given = inputs.text('node-name', registration('name'))
  const name = (given?.value ?? facts.hostname).trim().toLowerCase()
  const problem = nodeNameProblem(name)
  if (problem) problems.add(given?.where ?? "this machine's host name", problem)
  return {
    name,
    address: own?.[0] ?? address,
    isAddressGiven: own !== undefined || isGiven,
    kubeletAddress: own?.join(',') ?? (isLocal(facts, address) ? address : undefined),
    criSocket: resolveCriSocket(resolution, registration('criSocket')) ?? DEFAULT_CRI_SOCKET,
    labels: resolveLabels(resolution),
    taints: resolveTaints(resolution, registration('taints')),
  }
}

export function resolveCriSocket(resolution: Resolution, fallback: Field): string | undefined {
  const given = resolution.inputs.text('cri-socket', fallback)
  if (!given) return undefined
  // Without a scheme kubeadm prepends this one.
  const socket = given.value.includes('://') ? given.value : `unix://${given.value}`
  if (!/^unix:\/\/\/./.test(socket))
    resolution.problems.add(given.where, `"${given.value}" is not an absolute path of a unix socket`)
  return socket
}

function resolveLabels(resolution: Resolution): Readonly<Record<string, string>> {
  const { inputs, problems } = resolution
  const labels: Record<string, string> = {}
  const fromFile = inputs.object(edge('node.labels'))
  for (const [key, value] of Object.entries(fromFile?.value ?? {})) {
    const problem =
      typeof value === 'string'
        ? (labelKeyProblem(key) ?? ownLabelProblem(key) ?? labelValueProblem(value))
        : `the value of "${key}" must be a string; put it in quotes`
    if (problem) problems.add(fromFile?.where ?? '', problem)
    else labels[key] = value as string
  }
  for (const text of inputs.list('node-labels')?.value ?? []) {
    const label = parseLabel(text)
    if (typeof label === 'string') problems.add('--node-labels', label)
    else {
      const problem = ownLabelProblem(label[0])
      if (problem !== undefined) problems.add('--node-labels', problem)
      labels[label[0]] = label[1]
    }
  }
  return labels
}

function resolveTaints(resolution: Resolution, inDocument: Field): readonly Taint[] | undefined {
  const { inputs, problems } = resolution
  const given = inputs.list('node-taints')
  const entries = given
    ? { where: given.where, value: given.value.map(parseTaint) }
    : map(inputs.array(edge('node.taints'), inDocument), (taint) =>
        checkTaint(taint as { key: string; value?: string; effect: string }),
      )
  return entries?.value.flatMap((taint) => {
    if (typeof taint !== 'string') return [taint]
    problems.add(entries.where, taint)
    return []
  })
}

function map<R>(given: Sourced<readonly unknown[]> | undefined, to: (item: unknown) => R | string) {
  if (!given) return undefined
  const value = given.value.map((item) => {
    const { key, effect, value } = (item ?? {}) as Record<string, unknown>
    const wellFormed =
      typeof key === 'string' && typeof effect === 'string' && typeof (value ?? '') === 'string'
    return wellFormed ? to(item) : 'a taint has a key, an effect and perhaps a value, all strings'
  })
  return { where: given.where, value }
}
