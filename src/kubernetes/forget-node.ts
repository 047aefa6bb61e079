/**
 * Takes a node out of a cluster from the outside: the Node object and what else carries its name. Kubernetes would remove
 * some of it after a while; KubeEdge's part it keeps, and a node that joins again under the name would stumble over it:
 * MetaServer's certificate request is taken for the new node's, and CloudCore does not send the rights of Pods' accounts
 * to a node that stands in a list of those who have them (pkg/policycontroller/manager/reconcile.go).
 */

import type { Host } from '../host/host.ts'
import { changeCluster, type KubectlOptions, kubectlGet } from './kubectl.ts'

interface Meta {
  readonly name: string
  readonly namespace?: string
}

interface Item {
  readonly metadata: Meta
}

interface CertificateRequest extends Item {
  readonly spec: { readonly username?: string }
}

interface AccountAccess extends Item {
  readonly status?: { readonly nodeList?: readonly string[] }
}

const GONE = '--ignore-not-found'
const ACCESS = 'serviceaccountaccesses.policy.kubeedge.io'
/** KubeEdge's record of what each edge node has got. */
const SYNCS = ['objectsyncs.reliablesyncs.kubeedge.io', 'clusterobjectsyncs.reliablesyncs.kubeedge.io']

/** Whether there was such a node, or anything left of one. What is gone already is no failure, so it can be repeated. */
export async function forgetNode(host: Host, node: string, options: KubectlOptions): Promise<boolean> {
  const get = async <T extends Item>(...args: string[]) =>
    (await kubectlGet<{ items: T[] }>(host, args, options))?.items ?? []
  const remove = (what: string, args: readonly string[]) =>
    changeCluster(host, `delete ${what} from the cluster`, ['delete', ...args, GONE], options)

  const existed = (await kubectlGet<Item>(host, ['node', node], options)) !== undefined
  if (existed) await remove(`node ${node}`, ['node', node])
  // Nobody on the node is left to end them.
  const pods = await get('pods', '--all-namespaces', `--field-selector=spec.nodeName=${node}`)
  const force = ['--force', '--grace-period=0']
  for (const [namespace, names] of byNamespace(pods))
    await remove(`the Pods of ${node}`, ['pods', '-n', namespace, ...names, ...force])
  await remove(`the lease of ${node}`, ['lease', '-n', 'kube-node-lease', node])
  const requests = (await get<CertificateRequest>('certificatesigningrequests')).filter(
    ({ spec }) => spec.username === `system:node:${node}`,
  )
  if (requests.length > 0)
    await remove(`the certificate requests of ${node}`, ['certificatesigningrequests', ...names(requests)])
  let left = pods.length + requests.length
  for (const kind of SYNCS) {
    const syncs = (await get(kind, '--all-namespaces')).filter(
      ({ metadata }) => nodeOfSync(metadata) === node,
    )
    left += syncs.length
    for (const [namespace, found] of byNamespace(syncs))
      await remove(`KubeEdge's record of ${node}`, [kind, ...inNamespace(namespace), ...found])
  }
  return (await revokeAccess(host, node, options)) || existed || left > 0
}

/** The lists of nodes that were sent the rights of a Pod's account. */
async function revokeAccess(host: Host, node: string, options: KubectlOptions): Promise<boolean> {
  const all = await kubectlGet<{ items: AccountAccess[] }>(host, [ACCESS, '--all-namespaces'], options)
  let changed = false
  for (const { metadata, status } of all?.items ?? []) {
    const nodes = status?.nodeList ?? []
    if (!nodes.includes(node)) continue
    changed = true
    const others = nodes.filter((one) => one !== node)
    const object = [ACCESS, metadata.name, ...inNamespace(metadata.namespace ?? '')]
    // As CloudCore does it, where the last Pod of an account has left the edge.
    const args =
      others.length === 0
        ? ['delete', ...object, GONE]
        : [
            ...['patch', ...object, '--subresource=status', '--type=merge'],
            ...['-p', JSON.stringify({ status: { nodeList: others } })],
          ]
    await changeCluster(host, `take ${node} off the nodes with the rights of ${metadata.name}`, args, options)
  }
  return changed
}

/** `<node>.<uid of the object>`; a node's name may have dots. */
const nodeOfSync = ({ name }: Meta) => name.slice(0, name.lastIndexOf('.'))

const names = (items: readonly Item[]) => items.map(({ metadata }) => metadata.name)

const inNamespace = (namespace: string) => (namespace === '' ? [] : ['-n', namespace])

function byNamespace(items: readonly Item[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { metadata } of items) {
    const namespace = metadata.namespace ?? ''
    found.set(namespace, [...(found.get(namespace) ?? []), metadata.name])
  }
  return found
}
