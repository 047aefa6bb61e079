/** Whose node a machine is. Only the ledger says that it is edgeadm's; what the machine looks like never does. */

import type { Look } from '../../host/host.ts'
import type { LedgerEntry } from '../../host/ledger.ts'
import type { LedgerContents } from '../../host/ledger-text.ts'
import { EDGE_CERTIFICATE, EDGECORE_CONFIG, EDGECORE_UNIT_FILE, KUBEEDGE } from '../../kubeedge/paths.ts'
import { type Distribution, KEADM, kubeadmLike, otherDistributions } from '../../kubernetes/distributions.ts'
import { LITE } from '../../superedge/paths.ts'
import { ADMIN_CONF, KUBELET_CONF } from '../context.ts'

export type Role = 'master' | 'worker' | 'edge node'

const KUBERNETES = '/etc/kubernetes'
const API_SERVER = `${KUBERNETES}/manifests/kube-apiserver.yaml`
/** Any of them makes a machine a node, or one that was about to become one. */
const NODE_FILES = [
  KUBELET_CONF,
  `${KUBERNETES}/bootstrap-kubelet.conf`,
  ADMIN_CONF,
  '/var/lib/kubelet/config.yaml',
  API_SERVER,
]

/** What the machine looks like, whoever made it so. Undefined: no node, or not yet. */
export async function roleOf(host: Look): Promise<Role | undefined> {
  for (const path of [EDGECORE_CONFIG, EDGE_CERTIFICATE, LITE.unitFile])
    if ((await host.stat(path)) !== undefined) return 'edge node'
  if ((await host.stat(API_SERVER)) !== undefined) return 'master'
  for (const path of NODE_FILES) if ((await host.stat(path)) !== undefined) return 'worker'
  return undefined
}

/**
 * Whether edgeadm made the node that is here. Before edgeadm runs kubeadm, the ledger has a claim of kubelet.conf that was
 * not there yet. A reset that was interrupted may have settled this claim already; then the claim of /etc/kubernetes, which
 * is older and settled later, is still open. Edge nodes have edgecore's unit and files instead.
 */
export function ownsNode({ pending, history }: LedgerContents): boolean {
  const isKubeletClaim = (entry: LedgerEntry): boolean =>
    entry.kind === 'claim' && entry.path === KUBELET_CONF && entry.kept === null
  const open = pending.find((entry) => entry.kind === 'claim' && entry.path === KUBERNETES)
  const since = open === undefined ? -1 : history.findIndex(({ id }) => id === open.id)
  return (
    pending.some(isKubeletClaim) ||
    (since >= 0 && history.slice(since).some(isKubeletClaim)) ||
    pending.some(isOwnEdgeFile)
  )
}

function isOwnEdgeFile(entry: LedgerEntry): boolean {
  if (entry.kind === 'claim') return entry.kept === null && isBelowKubeEdge(entry.path)
  return (
    entry.kind === 'file' &&
    entry.before.type === 'absent' &&
    (entry.path === EDGECORE_UNIT_FILE || isBelowKubeEdge(entry.path))
  )
}

const isBelowKubeEdge = (path: string): boolean => path === KUBEEDGE || path.startsWith(`${KUBEEDGE}/`)

/** Whose node this seems to be where it is not edgeadm's; undefined where there is no such node. */
export async function foreignOwner(host: Look, contents: LedgerContents): Promise<Distribution | undefined> {
  if (ownsNode(contents)) return undefined
  const [other] = await otherDistributions(host)
  if (other !== undefined) return other
  const role = await roleOf(host)
  if (role === undefined) return undefined
  return (await host.stat(EDGECORE_CONFIG)) === undefined ? kubeadmLike(host) : KEADM
}
