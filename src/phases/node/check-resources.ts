import { isAtLeast } from '../../config/versions.ts'
import type { Look } from '../../host/host.ts'
import { bytes } from '../../output/text.ts'
import { isControlPlane, isEdge, type NodeContext, UNPACKED } from '../context.ts'
import { isUnpackedFile } from '../package.ts'
import type { Problem } from '../problem.ts'
import { missingFeatures } from './modules.ts'

/** kubeadm's constants ControlPlaneNumCPU and ControlPlaneMem (MB). */
const MIN_CPUS = 2
const MIN_MEMORY_MB = 1700
/** Unpacked files, and images once more in containerd's store: blobs and their unpacked layers. */
const DISK_FACTOR = 3

/** Processors, memory, disk space and kernel features. */
export async function checkResources(ctx: NodeContext): Promise<Problem[]> {
  const { host, settings } = ctx
  const problems: Problem[] = []
  if (isControlPlane(settings)) {
    const cpus = Number((await host.probe('nproc', [])).stdout)
    if (cpus < MIN_CPUS) {
      problems.push({
        check: 'NumCPU',
        severity: 'error',
        text: `the number of available CPUs ${cpus} is less than the required ${MIN_CPUS}`,
      })
    }
    const kibibytes = Number(/MemTotal:\s+(\d+)/.exec((await host.readFile('/proc/meminfo')) ?? '')?.[1] ?? 0)
    const megabytes = Math.floor((kibibytes * 1024) / 1_000_000)
    if (megabytes < MIN_MEMORY_MB) {
      problems.push({
        check: 'Mem',
        severity: 'error',
        text: `the system RAM (${megabytes} MB) is less than the minimum ${MIN_MEMORY_MB} MB`,
      })
    }
  }
  for (const feature of await missingFeatures(host)) {
    problems.push({
      check: 'SystemVerification',
      severity: 'error',
      text: `the kernel has no ${feature}, neither built in nor as a module`,
    })
  }
  return [...problems, ...(await checkCgroups(ctx)), ...(await checkDisk(ctx))]
}

/** From 1.35 on the kubelet does not start with version 1 unless it is told to (KubeletConfiguration.failCgroupV1). */
async function checkCgroups({ host, settings }: NodeContext): Promise<Problem[]> {
  if (isEdge(settings) || !isAtLeast(settings.kubernetesVersion, 35)) return []
  if ((await host.stat('/sys/fs/cgroup/cgroup.controllers')) !== undefined) return []
  const text = `the kubelet of Kubernetes ${settings.kubernetesVersion} needs control groups version 2, and this machine has version 1`
  if (settings.command === 'init' && settings.documents.KubeletConfiguration?.failCgroupV1 === false)
    return []
  return [
    {
      check: 'SystemVerification',
      // On join the cluster's own KubeletConfiguration decides.
      severity: settings.command === 'init' ? 'error' : 'warning',
      text: `${text}: boot with systemd.unified_cgroup_hierarchy=1, or set failCgroupV1: false in KubeletConfiguration`,
    },
  ]
}

async function checkDisk({ host, manifest, settings }: NodeContext): Promise<Problem[]> {
  if (manifest === undefined) return []
  const files = manifest.files.filter(isUnpackedFile({ manifest, settings }))
  const size = (folder: string): number =>
    files.filter(({ path }) => path.startsWith(folder)).reduce((sum, file) => sum + file.size, 0)
  const needed = size('') + size('images/') * (DISK_FACTOR - 1)
  const available = await availableBytes(host, UNPACKED)
  if (available === undefined || available >= needed) return []
  return [
    {
      check: 'DiskSpace',
      severity: 'error',
      text: `unpacking the package takes ${bytes(needed)}, and the file system of /var/lib has ${bytes(available)} left`,
    },
  ]
}

/** Bytes that are free where `path` is or will be. */
export async function availableBytes(host: Look, path: string): Promise<number | undefined> {
  let directory = path
  while ((await host.stat(directory)) === undefined) directory = directory.replace(/\/[^/]+$/, '') || '/'
  const output = await host.probe('df', ['--block-size=1', '--output=avail', directory])
  const free = Number(output.stdout.split('\n')[1])
  return output.exitCode === 0 && Number.isFinite(free) ? free : undefined
}
