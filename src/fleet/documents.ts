/** The configuration file that a host's init or join gets: the user's documents, and what the fleet knows of the host. */

import { stringify } from 'yaml'
import { kubeadmApiVersion } from '../config/kubeadm-api.ts'
import type { PlainDocument } from '../config/types.ts'
import type { HostFacts } from './facts.ts'
import type { FleetHost, Inventory } from './inventory.ts'

/** What a joining host needs to know of the cluster. Secret. */
export interface JoinData {
  readonly endpoint: string
  readonly token: string
  readonly caCertHash: string
  /** For masters. */
  readonly certificateKey?: string
}

const EDGE_HEAD = { apiVersion: 'edgeadm.io/v1alpha1', kind: 'EdgeConfiguration' }

/** `init` of the first master. */
export function initConfig(inventory: Inventory, host: FleetHost): string {
  const kinds = [
    'InitConfiguration',
    'ClusterConfiguration',
    'KubeletConfiguration',
    'KubeProxyConfiguration',
  ]
  return documents([...kinds.map((kind) => inventory.documents.get(kind)), edgeDocument(inventory, host)])
}

/** `join` of everything else. A worker takes its kubelet's configuration from the cluster; an edge node has its own. */
export function joinConfig(
  inventory: Inventory,
  host: FleetHost,
  { endpoint, token, caCertHash, certificateKey }: JoinData,
  kubernetesVersion: string,
): string {
  const given = inventory.documents.get('JoinConfiguration') ?? {}
  const join = {
    apiVersion: kubeadmApiVersion(kubernetesVersion),
    kind: 'JoinConfiguration',
    ...given,
    discovery: {
      ...(given.discovery as PlainDocument | undefined),
      bootstrapToken: { token, apiServerEndpoint: endpoint, caCertHashes: [caCertHash] },
    },
    ...(host.role === 'master'
      ? { controlPlane: { ...(given.controlPlane as PlainDocument | undefined), certificateKey } }
      : {}),
  }
  return documents([
    join,
    host.role === 'edge' ? inventory.documents.get('KubeletConfiguration') : undefined,
    edgeDocument(inventory, host),
  ])
}

/** Where the machine is reached in the cluster, if the file says so, or the machine itself has the address. */
export function nodeAddressOf(host: FleetHost, facts: HostFacts): string | undefined {
  return host.nodeAddress ?? (facts.addresses.includes(host.address) ? host.address : undefined)
}

/** Flags of init and join that are the host's own. No secrets: others on the machine see them. */
export function hostFlags(host: FleetHost, facts: HostFacts, first: boolean): string[] {
  const address = nodeAddressOf(host, facts)
  const taints = host.taints?.map(
    ({ key, value, effect }) => `${key}${value === undefined ? '' : `=${value}`}:${effect}`,
  )
  return [
    `--node-name=${host.name}`,
    ...(address === undefined ? [] : [`--node-ip=${address}`]),
    ...(address === undefined || host.role !== 'master' ? [] : [`--apiserver-advertise-address=${address}`]),
    ...(taints === undefined ? [] : [`--node-taints=${taints.join(',')}`]),
    ...(first || host.role === 'master' ? [] : [`--enable-edge=${host.role === 'edge'}`]),
  ]
}

function edgeDocument({ documents: all }: Inventory, host: FleetHost): PlainDocument | undefined {
  const { package: _, ...given } = all.get('EdgeConfiguration') ?? {}
  const merged = merge({ ...EDGE_HEAD, ...given }, host.edgeConfiguration) as Record<string, unknown>
  // A role says it; on the first master it is about the cloud side.
  const { enableEdge: __, ...rest } = merged
  return host.role === 'master' ? merged : rest
}

/** The host's fields lie over the file's; maps are merged, all else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over === undefined ? base : over
  const keys = new Set([...Object.keys(base), ...Object.keys(over)])
  return Object.fromEntries([...keys].map((key) => [key, merge(base[key], over[key])]))
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function documents(all: readonly (PlainDocument | undefined)[]): string {
  return all
    .filter((one) => one !== undefined)
    .map((one) => stringify(one, { version: '1.1' }))
    .join('---\n')
}
