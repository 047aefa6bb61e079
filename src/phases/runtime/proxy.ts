import { clusterAddresses } from '../../config/cluster-addresses.ts'
import { gatherFacts } from '../../config/facts.ts'
import { nodeNetworks } from '../../config/networks.ts'
import { callerProxy } from '../../host/proxy.ts'
import type { NodeContext } from '../context.ts'
import { templateFile } from '../template-file.ts'

/** containerd's unit reads it. The address of a proxy may hold a password. */
export const PROXY_FILE = '/etc/containerd/proxy.env'

/** Never asked of a proxy: this machine, and names inside of the cluster. */
const LOCAL = ['localhost', '127.0.0.0/8', '::1', '.svc', '.local']

/**
 * Gives containerd the caller's proxy, or takes an earlier one away. Resolves with whether anything changed. Phases that
 * call it have {@link callerProxy} among their inputs, so that a rerun follows the environment.
 */
export async function writeProxy(ctx: NodeContext): Promise<boolean> {
  if (ctx.keepsProxy === true) return false
  const proxy = callerProxy()
  if (proxy === undefined) return ctx.host.remove(PROXY_FILE)
  const variables = {
    ...(proxy.http === undefined ? {} : { HTTP_PROXY: quoted(proxy.http) }),
    ...(proxy.https === undefined ? {} : { HTTPS_PROXY: quoted(proxy.https) }),
    NO_PROXY: quoted((await exceptions(ctx, proxy.except)).join(',')),
  }
  return templateFile(ctx.host, PROXY_FILE, 'runtime/proxy.env', { variables }, { mode: 0o600, secret: true })
}

/** What the user named, and the networks of this cluster: of Pods and Services where they are known (init), of this node, and the control plane. */
async function exceptions({ host, settings }: NodeContext, given: readonly string[]): Promise<string[]> {
  const networks = nodeNetworks(await gatherFacts(host)).map(({ network }) => network.text)
  const all = [
    ...given,
    ...LOCAL,
    settings.node.address,
    settings.node.name,
    ...networks,
    ...clusterAddresses(settings),
  ]
  return [...new Set(all)].filter((one) => one !== '')
}

/** systemd.exec(5), EnvironmentFile: backslash and the double quote are special in double quotes. */
function quoted(value: string): string {
  return value.replace(/["\\$`]/g, '\\$&')
}
