import type { Host } from '../../host/host.ts'
import { type KubectlOptions, kubectlGet } from '../../kubernetes/kubectl.ts'
import { closeTunnel } from './masters.ts'
import { endRelay } from './mesh/masters.ts'

interface Node {
  readonly status: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
}

/** To be asked while the Node is there. */
export async function addressesOf(host: Host, node: string, options: KubectlOptions): Promise<string[]> {
  const found = await kubectlGet<Node>(host, ['node', node], options)
  const internal = (found?.status.addresses ?? []).filter(({ type }) => type === 'InternalIP')
  return internal.map(({ address }) => address)
}

/** What the edge parts hold of a master beside its Node: it may reach Pods on edge nodes, and relays for them. */
export async function forgetMaster(
  host: Host,
  node: string,
  addresses: readonly string[],
  options: KubectlOptions,
): Promise<void> {
  await closeTunnel(host, addresses, options)
  await endRelay(host, node, options)
}
