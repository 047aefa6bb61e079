/** What EdgeMesh's agent, which runs on every node of a cluster that has it, needs of a machine. */

import type { Look } from '../../../host/host.ts'
import { MESH_DNS } from '../../../kubeedge/mesh.ts'
import type { NodeContext } from '../../context.ts'
import type { Problem } from '../../problem.ts'
import { agentImage } from './images.ts'

/** The agent sets its limit of open files to this, and ends if it may not. */
const OPEN_FILES = 64_000
/** What edgeadm's own containerd.service asks for. */
const OWN_LIMIT = 1_048_576
/** capabilities(7): a process with it may raise its own hard limits. */
const CAP_SYS_RESOURCE = 24n
export const RESOLV_CONF = '/etc/resolv.conf'

/** Whether this node will run the agent, as far as is known before the cluster is asked. */
export function willRunAgent({ settings, manifest }: NodeContext): boolean {
  // Of a join --enable-edge=false says only that the node is no edge.
  if (settings.command === 'init' && !settings.cloudSide) return false
  return settings.edge.edgeMesh !== false && agentImage(manifest) !== undefined
}

export async function checkMesh(ctx: NodeContext): Promise<Problem[]> {
  if (!willRunAgent(ctx)) return []
  const { host } = ctx
  // A join does not know what `init` was told.
  const unless =
    ctx.settings.command === 'join'
      ? '; if the cluster has no EdgeMesh, ignore this check'
      : ', or add --edgemesh=false'
  const problems: Problem[] = []
  const limit = await openFiles(host)
  if (limit.files < OPEN_FILES)
    problems.push({
      check: 'EdgeMeshOpenFiles',
      severity: 'error',
      text: `containers may open ${limit.files} files here, and EdgeMesh's agent needs ${OPEN_FILES}: raise ${limit.where}${unless}`,
    })
  if (nameservers((await host.readFile(RESOLV_CONF)) ?? '').includes(MESH_DNS))
    problems.push({
      check: 'EdgeMeshResolvConf',
      severity: 'error',
      text: `${RESOLV_CONF} points to ${MESH_DNS}, EdgeMesh's own DNS, which would ask itself and end: name another nameserver there${unless}`,
    })
  return problems
}

export const nameservers = (text: string): string[] =>
  [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address as string)

/** The hard limit of open files that containers get: containerd's, which is systemd's to give if it does not run yet. */
async function openFiles(host: Look): Promise<{ files: number; where: string }> {
  const show = ['show', '--property=MainPID', '--value', 'containerd.service']
  const pid = Number((await host.probe('systemctl', show)).stdout.trim())
  const running = pid > 0 ? hardLimit(await host.readFile(`/proc/${pid}/limits`)) : undefined
  if (running !== undefined)
    return { files: running, where: 'LimitNOFILE in containerd.service and restart it' }
  const manager = hardLimit(await host.readFile('/proc/1/limits')) ?? 0
  const most = mayRaise((await host.readFile('/proc/1/status')) ?? '')
    ? Number((await host.readFile('/proc/sys/fs/nr_open')) ?? 0)
    : manager
  return {
    files: Math.min(OWN_LIMIT, Math.max(manager, most)),
    where: "the hard limit of open files of this machine's systemd",
  }
}

/** From `/proc/PID/limits`; undefined if the process is gone. */
export function hardLimit(limits: string | undefined): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits ?? '')?.[1]
  if (hard === undefined) return undefined
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}

function mayRaise(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1]
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n
}
