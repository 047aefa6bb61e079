import { apiGet } from '../../kubernetes/api-request.ts'
import type { DiscoveredCluster } from '../../kubernetes/discovery.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { JoinContext } from '../context.ts'

interface Node {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
  }
}

/**
 * Another machine of this name that is at work in the cluster. kubeadm asks the same in its phase kubelet-start, after
 * changes; a bootstrap token may read Nodes for it (ClusterRole kubeadm:get-nodes).
 * @throws EdgeadmError class `preflight`
 */
export async function checkNodeName(ctx: JoinContext, cluster: DiscoveredCluster): Promise<void> {
  const { settings, signal } = ctx
  // A discovery file may bring credentials of its own; kubeadm alone reads those.
  if (settings.tlsBootstrapToken === undefined) return
  const { name } = settings.node
  const { status, body } = await apiGet({
    url: `${cluster.server}/api/v1/nodes/${name}`,
    caPem: cluster.caPem,
    signal,
    timeout: 10_000,
    bearerToken: settings.tlsBootstrapToken,
  })
  if (status !== 200) return
  const node = JSON.parse(body) as Node
  if (!node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')) return
  const address = node.status.addresses?.find(({ type }) => type === 'InternalIP')?.address
  throw new EdgeadmError(
    'preflight',
    `[ERROR NodeName]: the cluster has a node "${name}" already, and it is Ready${address === undefined ? '' : ` (${address})`}`,
    { fix: `join under another name with --node-name, or \`kubectl delete node ${name}\` if it is gone` },
  )
}
