import type { Host } from '../../host/host.ts'
import { type KubectlOptions, kubectlGet } from '../../kubernetes/kubectl.ts'
import { eraseMaster } from '../../kubernetes/masters.ts'
import { followMasters } from './masters.ts'

interface Node {
  readonly status: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
}

/** To be asked while the Node is there. */
export async function addressesOf(host: Host, node: string, options: KubectlOptions): Promise<string[]> {
  const found = await kubectlGet<Node>(host, ['node', node], options)
  const internal = (found?.status.addresses ?? []).filter(({ type }) => type === 'InternalIP')
  return internal.map(({ address }) => address)
}

/**
 * What the cluster holds of a master beside its Node: its record, and what follows that. Its name and its address may be
 * somebody else's next.
 */
export async function forgetMaster(host: Host, node: string, options: KubectlOptions): Promise<void> {
  await eraseMaster(host, node, options)
  await followMasters(host, options)
}
