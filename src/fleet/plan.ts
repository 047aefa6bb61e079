/** What is to be done, from what the file wants, what each host says, and what the cluster has. Pure: nothing is asked here. */

import type { ClusterNode } from './cluster.ts'
import type { HostFacts } from './facts.ts'
import type { FleetHost, Inventory } from './inventory.ts'
import { FLEET_LABEL } from './paths.ts'

/** A host whose facts are known. */
export interface KnownHost {
  readonly host: FleetHost
  readonly facts: HostFacts
}

export type HostAction =
  /** As the file wants it. */
  | 'none'
  | 'init'
  | 'join'
  /** The cluster has a node of this name whose machine is gone: it is removed, and the new machine joins. */
  | 'replace'
  /** Drained, out of the cluster, reset. */
  | 'remove'
  /** A node of the fleet already; labels, taints or the executable differ. */
  | 'update'

export interface PlannedHost extends KnownHost {
  readonly action: HostAction
  /** What is done, a line each, for people. */
  readonly changes: readonly string[]
  readonly labels: boolean
  /** For kubectl taint. */
  readonly taints: readonly string[]
  readonly executable: boolean
}

export interface FleetPlan {
  readonly hosts: readonly PlannedHost[]
  /** Of the fleet, but no longer in the file. */
  readonly orphans: readonly ClusterNode[]
}

export interface PlanInput {
  readonly inventory: Inventory
  readonly known: readonly KnownHost[]
  /** Undefined: there is no cluster yet. */
  readonly nodes: readonly ClusterNode[] | undefined
  /** The master that is asked, or that is to be the first. */
  readonly primary: string | undefined
  /** sha256 of the executable that the hosts are to have. */
  readonly executable: string | undefined
}

export function planFleet(input: PlanInput): FleetPlan {
  const { inventory, nodes = [] } = input
  const inFile = new Set(inventory.hosts.map(({ name }) => name))
  return {
    hosts: input.known.map((known) => planHost(known, input)),
    orphans: nodes.filter(({ name, labels }) => labels[FLEET_LABEL] === inventory.name && !inFile.has(name)),
  }
}

function planHost(known: KnownHost, { inventory, nodes, primary, executable }: PlanInput): PlannedHost {
  const { host, facts } = known
  const node = nodes?.find(({ name }) => name === host.name)
  const nothing = { ...known, labels: false, taints: [], executable: false }
  if (host.absent) {
    const isThere = facts.record !== undefined || facts.isNode || node !== undefined
    return isThere
      ? { ...nothing, action: 'remove', changes: removal(host, node !== undefined) }
      : { ...nothing, action: 'none', changes: [] }
  }
  const isSetUp = facts.record !== undefined && facts.isNode && facts.record.node === host.name
  if (!isSetUp) {
    const isFirst = nodes === undefined && host.name === primary
    const action = isFirst
      ? 'init'
      : node !== undefined && !facts.isNode && facts.journal === undefined
        ? 'replace'
        : 'join'
    const changes = [
      ...(action === 'replace' ? [`take the lost node ${host.name} out of the cluster`] : []),
      isFirst
        ? 'edgeadm init: the first master'
        : `edgeadm join: ${host.role === 'edge' ? 'an edge node' : `a ${host.role}`}`,
      ...Object.entries(host.labels).map(([key, value]) => `label ${key}=${value}`),
    ]
    return {
      ...known,
      action,
      changes,
      labels: true,
      taints: [],
      executable: facts.executable !== executable,
    }
  }
  const labels = labelChanges(host, node, inventory.name)
  const taints = taintChanges(host, node)
  const isOld = executable !== undefined && facts.executable !== executable
  const changes = [
    ...labels,
    ...taints.map((taint) => `taint ${taint}`),
    ...(isOld ? ['replace the executable edgeadm'] : []),
    ...(node === undefined && nodes !== undefined
      ? [`the cluster has no node ${host.name}: join again`]
      : []),
  ]
  if (node === undefined && nodes !== undefined)
    return { ...known, action: 'join', changes, labels: true, taints: [], executable: isOld }
  return {
    ...known,
    action: changes.length === 0 ? 'none' : 'update',
    changes,
    labels: labels.length > 0,
    taints,
    executable: isOld,
  }
}

function removal({ name, role }: FleetHost, isNode: boolean): string[] {
  return [
    ...(isNode && role !== 'master' ? [`drain the node ${name}`] : []),
    'edgeadm reset: the machine as it was',
    ...(isNode ? [`take the node ${name} out of the cluster`] : []),
  ]
}

function labelChanges(host: FleetHost, node: ClusterNode | undefined, fleet: string): string[] {
  if (node === undefined) return []
  const wanted = { ...host.labels, [FLEET_LABEL]: fleet }
  const set = Object.entries(wanted)
    .filter(([key, value]) => node.labels[key] !== value)
    .map(
      ([key, value]) =>
        `label ${key}=${value}${node.labels[key] === undefined ? '' : ` (is ${node.labels[key]})`}`,
    )
  const gone = Object.keys(node.applied?.labels ?? {})
    .filter((key) => !(key in wanted) && node.labels[key] !== undefined)
    .map((key) => `remove the label ${key}`)
  return [...set, ...gone]
}

/** Taints that are not in the file are let be, unless the fleet set them. */
function taintChanges(host: FleetHost, node: ClusterNode | undefined): string[] {
  if (node === undefined || host.taints === undefined) return []
  const wanted = host.taints.map(taintText)
  const there = node.taints.map(taintText)
  const id = (text: string): string => text.replace(/=[^:]*/, '')
  const before = node.applied?.taints ?? []
  return [
    ...wanted.filter((text) => !there.includes(text)),
    ...before
      .filter(
        (text) => !wanted.some((one) => id(one) === id(text)) && there.some((one) => id(one) === id(text)),
      )
      .map((text) => `${id(text)}-`),
  ]
}

export function taintText({
  key,
  value,
  effect,
}: {
  key: string
  value?: string | undefined
  effect: string
}): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`
}
