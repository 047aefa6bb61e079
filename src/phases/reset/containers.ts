import type { Host } from '../../host/host.ts'
import { type Process, processes, withDescendants } from '../../host/processes.ts'
import type { Residue } from '../../host/undo.ts'
import { EDGECORE_UNIT } from '../../kubeedge/paths.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { LITE } from '../../superedge/paths.ts'
import { awaitCondition } from '../await.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'
import type { ResetFacts } from './facts.ts'

const KUBELET = 'kubelet.service'
const CONTAINERD = 'containerd.service'
/** The kubelet's cgroup for all Pods, with systemd's driver. */
const SLICE = 'kubepods.slice'
/** Milliseconds for processes to vanish after SIGKILL; only a process stuck in the kernel takes longer. */
const LIMIT = 30_000

/**
 * Ends what kubeadm could not: it needs a containerd that answers. Containers outlive containerd, each with its shim; they
 * are found by the kubelet's cgroup and by the shim's program, so nothing has to run for it.
 */
export const containers: Phase<ResetContext> = {
  name: 'runtime/containers',
  title: 'Stop the kubelet and remaining containers',
  runIf: ({ facts }) => hasOwnPods(facts) || facts.ownsContainerd || 'edgeadm started no container here',
  run: async ({ host, facts, signal, settings, residue }) => {
    const units = [
      ...(hasOwnPods(facts) ? [KUBELET, LITE.unit, EDGECORE_UNIT] : []),
      ...(facts.ownsContainerd ? [CONTAINERD] : []),
    ]
    for (const unit of units) {
      if (!(await host.serviceState(unit)).active) continue
      await host.run('systemctl', ['stop', unit], { title: `stop ${unit}`, undo: null, timeout: 60_000 })
    }
    const left = await containerProcesses(host, facts.ownsContainerd)
    if (left.length > 0) {
      const pids = left.map(({ pid }) => String(pid))
      // 1: one of them has just ended by itself.
      await host.run('kill', ['-KILL', ...pids], {
        title: `end ${pids.length} processes of containers`,
        undo: null,
        okExitCodes: [0, 1],
      })
      if (!settings.dryRun) residue.push(...(await awaitEnd(host, facts.ownsContainerd, signal)))
    }
    if ((await host.serviceState(SLICE)).active)
      await host.run('systemctl', ['stop', SLICE], { title: `stop ${SLICE}`, undo: null, timeout: 120_000 })
    await removeCgroups(host)
  },
}

/** Whether a kubelet or edgecore that edgeadm set up may have started Pods. */
const hasOwnPods = ({ role, mayHaveRunPods }: ResetFacts): boolean => role !== undefined || mayHaveRunPods

async function awaitEnd(host: Host, withShims: boolean, signal: AbortSignal): Promise<Residue[]> {
  try {
    await awaitCondition('processes of containers to end', LIMIT, signal, async () => {
      return (await containerProcesses(host, withShims)).length === 0
    })
    return []
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
    return (await containerProcesses(host, withShims)).map(({ pid, command }) => ({
      what: `process ${pid} (${command[0]})`,
      why: 'it does not end on SIGKILL: it is stuck in the kernel, and ends with a reboot',
    }))
  }
}

/** Processes in Pods' cgroups; and, if containerd is edgeadm's, its shims with all below them. */
export async function containerProcesses(host: Host, withShims: boolean): Promise<Process[]> {
  const all = await processes(host)
  const root = escaped(await ownCgroupRoot(host))
  const pods = new RegExp(`^\\d+:[^:]*:${root}/kubepods(\\.slice)?/`, 'm')
  const runtime = new RegExp(`^\\d+:[^:]*:${root}/system\\.slice/containerd\\.service$`, 'm')
  const isShim = ({ command, cgroup }: Process): boolean =>
    /\/containerd-shim-runc-v2$/.test(command[0] ?? '') && runtime.test(cgroup)
  return withDescendants(
    all,
    all.filter((one) => pods.test(one.cgroup) || (withShims && isShim(one))),
  )
}

/** Where this machine's own groups begin: machines inside this one have kubelets of their own, below theirs. */
async function ownCgroupRoot(host: Host): Promise<string> {
  const text = (await host.readFile('/proc/1/cgroup')) ?? ''
  const path = (/^\d+:name=systemd:(.*)$/m.exec(text) ?? /^0::(.*)$/m.exec(text))?.[1] ?? '/'
  return path.replace(/\/(init\.scope)?$/, '')
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** systemd removes its own; those of controllers that it does not manage are runc's, and stay without this. */
async function removeCgroups(host: Host): Promise<void> {
  if ((await ownCgroupRoot(host)) !== '') return
  const roots = ['/sys/fs/cgroup']
  for (const name of await host.list('/sys/fs/cgroup'))
    if ((await host.stat(`/sys/fs/cgroup/${name}`))?.type === 'directory')
      roots.push(`/sys/fs/cgroup/${name}`)
  for (const root of roots) {
    for (const name of ['kubepods.slice', 'kubepods']) {
      const path = `${root}/${name}`
      if ((await host.stat(path)) === undefined) continue
      await host.run('find', [path, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], {
        title: `remove the control groups in ${path}`,
        undo: null,
      })
    }
  }
}
