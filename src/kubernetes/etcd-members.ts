/** The etcd that kubeadm runs on the masters ("stacked"), as a master sees it: no certificate directory is assumed. */

import type { Look } from '../host/host.ts'
import { type EtcdCredentials, type EtcdMember, listMembers } from './etcd.ts'
import { kubectl } from './kubectl.ts'
import { staticPodFlags } from './static-pod.ts'

export interface StackedEtcd {
  /** All of them, learners too. Empty: none answers. */
  readonly members: readonly EtcdMember[]
  readonly credentials: EtcdCredentials
}

const LOCAL = 'https://127.0.0.1:2379'
/** kubeadm's, on the Pod of each member: cmd/kubeadm/app/constants. */
const CLIENT_URL = 'kubeadm.kubernetes.io/etcd.advertise-client-urls'

/**
 * Asked with the credentials that this master's API server has for etcd.
 * @returns undefined if this is no master, or its etcd is one that others run (`etcd.external`)
 */
export async function stackedEtcd(host: Look): Promise<StackedEtcd | undefined> {
  const flags = await staticPodFlags(host, 'kube-apiserver')
  if (flags?.get('etcd-servers') !== LOCAL) return undefined
  const [ca, cert, key] = await Promise.all(
    ['etcd-cafile', 'etcd-certfile', 'etcd-keyfile'].map((name) => host.readFile(flags.get(name) ?? '')),
  )
  if (ca === undefined || cert === undefined || key === undefined) return undefined
  const credentials = { ca, cert, key }
  for (const find of [async () => [LOCAL], () => urlsInManifest(host), () => urlsInCluster(host)])
    for (const url of await find()) {
      try {
        return { members: await listMembers(url, credentials), credentials }
      } catch {
        // The next one may answer; if none does, there is no cluster that could be harmed.
      }
    }
  return { members: [], credentials }
}

/** Those that decide. */
export const votersOf = (members: readonly EtcdMember[]) => members.filter(({ isLearner }) => !isLearner)

/** The member that this master's manifest of etcd runs. A learner that has not started has no name, only a peer address. */
export async function ownMember(host: Look, members: readonly EtcdMember[]): Promise<EtcdMember | undefined> {
  const flags = await staticPodFlags(host, 'etcd')
  const peer = flags?.get('initial-advertise-peer-urls')
  const name = flags?.get('name')
  return members.find((member) =>
    peer === undefined ? name !== undefined && member.name === name : member.peerUrls.includes(peer),
  )
}

/** The member of a node: by its name, or by an address of the node. */
export function memberOf(
  members: readonly EtcdMember[],
  node: string,
  addresses: readonly string[],
): EtcdMember | undefined {
  return members.find(
    (member) => member.name === node || peerAddresses(member).some((address) => addresses.includes(address)),
  )
}

/** Without brackets. */
export const peerAddresses = ({ peerUrls }: EtcdMember) =>
  peerUrls.flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')] : []))

/** The members that there were when this master joined. */
async function urlsInManifest(host: Look): Promise<string[]> {
  const initial = (await staticPodFlags(host, 'etcd'))?.get('initial-cluster') ?? ''
  return initial
    .split(',')
    .flatMap((one) => (one.includes('=') ? [one.slice(one.indexOf('=') + 1).replace(/:2380$/, ':2379')] : []))
}

/** What a master that is about to join has to ask: its own etcd does not run yet. */
async function urlsInCluster(host: Look): Promise<string[]> {
  const query = ['get', 'pods', '-n', 'kube-system', '-l', 'component=etcd', '-o', 'json']
  const { exitCode, stdout } = await kubectl(host, [...query, '--request-timeout=5s'])
  if (exitCode !== 0) return []
  const { items } = JSON.parse(stdout) as {
    items: { metadata: { annotations?: Record<string, string> } }[]
  }
  return items.flatMap(({ metadata }) => metadata.annotations?.[CLIENT_URL] ?? [])
}
