/**
 * An edgecore that starts afresh mounts the tokens of all Pods afresh, and containers that run keep the old mount, whose
 * token nobody renews: EdgeMesh's agent would lose MetaServer after an hour. Its containers are ended through containerd
 * and edgecore starts them again, with the new mount. That needs neither the API server nor rights in it, which an edge
 * node has not: it may be cut off, and its own credentials are edgecore's alone.
 */

import type { Host } from '../../../host/host.ts'
import { EDGECORE_UNIT } from '../../../kubeedge/paths.ts'
import { awaitCondition } from '../../await.ts'
import type { JoinContext } from '../../context.ts'
import { ctrPath } from '../../runtime/images.ts'
import type { Phase } from '../../workflow.ts'

/** The kubelet's label for the name that a container has in its Pod. */
const NAME_LABEL = 'io.kubernetes.container.name'
const CONTAINERS = ['edgemesh-agent', 'edgemesh-gateway']
const NAMESPACE = ['--namespace', 'k8s.io']
/** Milliseconds. The kubelet ends what does not end by itself with the same grace. */
const LIMIT = 30_000

export const meshRenew: Phase<JoinContext> = {
  name: 'edge/edgemesh-renew',
  title: "Start EdgeMesh's containers afresh",
  runIf: async ({ host, settings }) => {
    if (settings.dryRun) return 'nothing was changed'
    if (settings.edge.metaServer === 'plain') return 'with --metaserver=plain they have no token'
    return (await outdated(host)).length > 0 || 'none runs that is older than edgecore'
  },
  run: async ({ host, signal }) => {
    const ctr = await ctrPath(host)
    for (const { id } of await outdated(host)) {
      const kill = [...NAMESPACE, 'tasks', 'kill', '--signal', 'SIGTERM', id]
      await host.run(ctr, kill, { title: `end the container ${id.slice(0, 12)} of EdgeMesh`, undo: null })
    }
    await awaitCondition("EdgeMesh's old containers to end", LIMIT, signal, async () => {
      const left = await outdated(host)
      return left.length === 0 || `still there: ${left.map(({ id }) => id.slice(0, 12)).join(', ')}`
    })
  },
}

interface Task {
  readonly id: string
  readonly pid: number
}

/** EdgeMesh's containers here that run longer than edgecore does. */
async function outdated(host: Host): Promise<Task[]> {
  const show = ['show', '--property=MainPID', '--value', EDGECORE_UNIT]
  const edgeCore = startOf(
    await host.readFile(`/proc/${(await host.probe('systemctl', show)).stdout.trim()}/stat`),
  )
  if (edgeCore === undefined) return []
  const ctr = await ctrPath(host)
  const filters = CONTAINERS.map((name) => `labels."${NAME_LABEL}"=="${name}"`)
  const ids = (await host.probe(ctr, [...NAMESPACE, 'containers', 'list', '--quiet', ...filters])).stdout
  const own = new Set(ids.split('\n'))
  const found: Task[] = []
  for (const task of runningTasks((await host.probe(ctr, [...NAMESPACE, 'tasks', 'list'])).stdout)) {
    const started = own.has(task.id) ? startOf(await host.readFile(`/proc/${task.pid}/stat`)) : undefined
    if (started !== undefined && started < edgeCore) found.push(task)
  }
  return found
}

/** From `ctr tasks list`: TASK, PID, STATUS. */
export function runningTasks(list: string): Task[] {
  return list.split('\n').flatMap((line) => {
    const [id = '', pid, status] = line.trim().split(/\s+/)
    return status === 'RUNNING' ? [{ id, pid: Number(pid) }] : []
  })
}

/** When a process started, in clock ticks since the boot (proc(5), field 22 of stat); undefined if it is gone. */
export function startOf(stat: string | undefined): number | undefined {
  // The program's name, in brackets, may have spaces and brackets of its own.
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return ticks === undefined ? undefined : Number(ticks)
}
