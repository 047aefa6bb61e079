import { type Listener, listeners, nameOf } from '../../network/listeners.ts'
import { LITE_PORT } from '../../superedge/paths.ts'
import { isControlPlane, isEdge, isSuperEdge, type NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'

/** kubeadm's ports, and on an edge node edgecore's and MetaServer's: kubelet everywhere; API server, scheduler and controller manager on a master. etcd's: check-etcd.ts. */
function neededPorts({ settings }: NodeContext): number[] {
  if (isEdge(settings)) return [10350, 10550]
  if (isSuperEdge(settings)) return [10250, LITE_PORT]
  if (!isControlPlane(settings)) return [10250]
  const api = settings.command === 'init' ? settings.bindPort : (settings.controlPlane?.bindPort ?? 6443)
  return [api, 10259, 10257, 10250]
}

export async function checkPorts(ctx: NodeContext): Promise<Problem[]> {
  const inUse = await listeners(ctx.host)
  return neededPorts(ctx).flatMap((port) => taken(port, inUse))
}

/** A problem if somebody listens there. @param inUse from {@link listeners} */
export function taken(port: number, inUse: ReadonlyMap<number, Listener>): Problem[] {
  const by = inUse.get(port)
  return by === undefined
    ? []
    : [{ check: `Port-${port}`, severity: 'error', text: `Port ${port} is in use by ${nameOf(by)}` }]
}
