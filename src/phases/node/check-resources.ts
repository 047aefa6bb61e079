import { isControlPlane, type NodeContext, UNPACKED } from '../context.ts'
import type { Problem } from './checks.ts'
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
  return [...problems, ...(await checkDisk(ctx))]
}

async function checkDisk({ host, manifest }: NodeContext): Promise<Problem[]> {
  if (manifest === undefined) return []
  const size = (folder: string): number =>
    manifest.files.filter(({ path }) => path.startsWith(folder)).reduce((sum, file) => sum + file.size, 0)
  const needed = size('') + size('images/') * (DISK_FACTOR - 1)
  const available = await availableBytes(host, UNPACKED)
  if (available === undefined || available >= needed) return []
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`
  return [
    {
      check: 'DiskSpace',
      severity: 'error',
      text: `unpacking the package takes ${mebibytes(needed)}, and the file system of /var/lib has ${mebibytes(available)} left`,
    },
  ]
}

/** Bytes that are free where `path` is or will be. */
async function availableBytes(host: NodeContext['host'], path: string): Promise<number | undefined> {
  let directory = path
  while ((await host.stat(directory)) === undefined) directory = directory.replace(/\/[^/]+$/, '') || '/'
  const output = await host.probe('df', ['--block-size=1', '--output=avail', directory])
  const bytes = Number(output.stdout.split('\n')[1])
  return output.exitCode === 0 && Number.isFinite(bytes) ? bytes : undefined
}
