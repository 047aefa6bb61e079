import { LITE_PORT } from '../../superedge/paths.ts'
import { isControlPlane, isEdge, isSuperEdge, type NodeContext } from '../context.ts'
import type { Problem } from './checks.ts'

/** kubeadm's ports, and on an edge node edgecore's and MetaServer's: kubelet everywhere; API server, scheduler, controller manager and etcd on a master. */
function neededPorts({ settings }: NodeContext): number[] {
  if (isEdge(settings)) return [10350, 10550]
  if (isSuperEdge(settings)) return [10250, LITE_PORT]
  if (!isControlPlane(settings)) return [10250]
  const api = settings.command === 'init' ? settings.bindPort : (settings.controlPlane?.bindPort ?? 6443)
  return [api, 10259, 10257, 10250, 2379, 2380]
}

/** Who listens on which TCP port, from `ss -Hltnp` (iproute2). */
export function listeners(ss: string): Map<number, string> {
  const found = new Map<number, string>()
  for (const line of ss.split('\n')) {
    const port = Number(/:(\d+)$/.exec(line.trim().split(/\s+/)[3] ?? '')?.[1])
    if (!Number.isInteger(port)) continue
    const user = /users:\(\("([^"]+)",pid=(\d+)/.exec(line)
    found.set(port, user === null ? 'another process' : `${user[1]} (pid ${user[2]})`)
  }
  return found
}

export async function checkPorts(ctx: NodeContext): Promise<Problem[]> {
  const taken = listeners((await ctx.host.probe('ss', ['-Hltnp'])).stdout)
  return neededPorts(ctx).flatMap((port) => {
    const by = taken.get(port)
    return by === undefined
      ? []
      : [{ check: `Port-${port}`, severity: 'error' as const, text: `Port ${port} is in use by ${by}` }]
  })
}
