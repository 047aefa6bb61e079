/**
 * The list of removed nodes: ConfigMap kubeedge/edgeadm-removed-nodes, name of the node -> time. CloudCore, with edgeadm's
 * additions, refuses certificates of that name which were issued until then, and ends the connections that stand. The list
 * is read by packages-manifests/additions/kubeedge/node-identity/removed.go.
 */

import type { Host } from '../host/host.ts'
import { changeCluster, type KubectlOptions, kubectlGet } from '../kubernetes/kubectl.ts'
import { NAMESPACE } from './cluster-facts.ts'

export const REMOVED_NODES = 'edgeadm-removed-nodes'

/** Makes the certificates worthless that an edge node of this name has now; those of a later join are not concerned. */
export async function refuseCertificates(host: Host, node: string, options: KubectlOptions): Promise<void> {
  // Without a cloud side there is nothing to refuse them.
  if ((await kubectlGet(host, ['namespace', NAMESPACE], options)) === undefined) return
  const namespaced = ['-n', NAMESPACE]
  const what = `make the certificate of ${node} worthless for CloudCore`
  const time = new Date().toISOString()
  if ((await kubectlGet(host, ['configmap', REMOVED_NODES, ...namespaced], options)) === undefined) {
    const create = ['create', 'configmap', REMOVED_NODES, ...namespaced]
    await changeCluster(host, what, [...create, `--from-literal=${node}=${time}`], options)
    return
  }
  const patch = JSON.stringify({ data: { [node]: time } })
  const args = ['patch', 'configmap', REMOVED_NODES, ...namespaced, '--type=merge', '-p', patch]
  await changeCluster(host, what, args, options)
}
