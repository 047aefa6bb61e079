import { kubectl, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { ADMIN_CONF, type NodeContext } from '../context.ts'
import { advertiseAddress } from './checks.ts'
import { CONFIG_MAP, KEEPALIVED_CONF } from './files.ts'
import { endpointFromCluster, endpointFromText, type VirtualEndpoint } from './virtual-endpoint.ts'

/** "10.0.0.10:6443": where this master's API server listens. */
export function apiServer(ctx: NodeContext): string {
  const { settings } = ctx
  const address = advertiseAddress(ctx)
  const port = settings.command === 'init' ? settings.bindPort : (settings.controlPlane?.bindPort ?? 6443)
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** What the cluster says of its balancer; undefined if it has none. */
export async function readEndpoint(host: NodeContext['host']): Promise<VirtualEndpoint | undefined> {
  return endpointFromCluster(await kubectlGet(host, ['configmap', CONFIG_MAP, '-n', 'kube-system']))
}

/** From the flags on init, with the router number of an earlier run or another master; from the cluster on join. */
export async function wantedEndpoint(ctx: NodeContext): Promise<VirtualEndpoint> {
  const { host, settings } = ctx
  if (settings.command === 'init' && settings.controlPlaneEndpoint !== undefined) {
    const endpoint = await endpointFromText(host, settings.controlPlaneEndpoint)
    const earlier = /^\s*virtual_router_id (\d+)/m.exec((await host.readFile(KEEPALIVED_CONF)) ?? '')?.[1]
    if (earlier !== undefined) return { ...endpoint, virtualRouterId: Number(earlier) }
    const existing = await endpointOfRunningCluster(ctx)
    return {
      ...endpoint,
      virtualRouterId: existing?.address === endpoint.address ? existing.virtualRouterId : undefined,
    }
  }
  const endpoint = await readEndpoint(host)
  if (endpoint === undefined)
    throw new EdgeadmError('phase', `there is no ConfigMap kube-system/${CONFIG_MAP}`)
  return endpoint
}

/** `init phase load-balancer` on a master of a cluster that has an endpoint already. A new API server does not answer yet. */
async function endpointOfRunningCluster(ctx: NodeContext): Promise<VirtualEndpoint | undefined> {
  if ((await ctx.host.stat(ADMIN_CONF)) === undefined) return undefined
  const { stdout, exitCode } = await kubectl(ctx.host, [
    ...['--server', `https://${apiServer(ctx)}`, '--request-timeout=5s'],
    ...['get', 'configmap', CONFIG_MAP, '-n', 'kube-system', '-o', 'json'],
  ])
  return exitCode === 0 ? endpointFromCluster(JSON.parse(stdout)) : undefined
}
