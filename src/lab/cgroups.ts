/**
 * Control groups of machines. Each machine has one of its own in every hierarchy, so that the kubelets of several
 * machines do not share one /kubepods, and so that all its processes can be found and ended.
 */

import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './await.ts'
import { cgroupName, cgroupPrefix } from './paths.ts'
import { killNow } from './processes.ts'

interface Hierarchy {
  readonly mountPoint: string
  readonly version: 1 | 2
  readonly controllers: readonly string[]
}

/** Mounted hierarchies: many with version 1, one with version 2, both on hybrid hosts. */
export async function hierarchies(): Promise<Hierarchy[]> {
  const found = new Map<string, Hierarchy>()
  for (const line of (await readFile('/proc/self/mounts', 'utf8')).split('\n')) {
    const [, mountPoint, type, options] = line.split(' ')
    if (!mountPoint?.startsWith('/sys/fs/cgroup') || options === undefined) continue
    if (type === 'cgroup') found.set(mountPoint, { mountPoint, version: 1, controllers: options.split(',') })
    if (type === 'cgroup2') found.set(mountPoint, { mountPoint, version: 2, controllers: [] })
  }
  return [...found.values()]
}

/** Whether this host's systemd manages control groups; then machines are started as its units. */
export function systemdRuns(): boolean {
  return existsSync('/run/systemd/system')
}

/** Makes the machine's control groups on a host without systemd. Returns their directories. */
export async function makeCgroups(lab: string, machine: string): Promise<string[]> {
  const directories: string[] = []
  for (const hierarchy of await hierarchies()) {
    const directory = join(hierarchy.mountPoint, cgroupName(lab, machine))
    if (hierarchy.version === 2) await enableControllers(hierarchy.mountPoint)
    await mkdir(directory, { recursive: true })
    if (hierarchy.controllers.includes('cpuset')) await fillCpuset(hierarchy.mountPoint, directory)
    directories.push(directory)
  }
  return directories
}

/** Version 2: what the root does not hand down, no group below it can use. */
async function enableControllers(mountPoint: string): Promise<void> {
  const available = (await readFile(join(mountPoint, 'cgroup.controllers'), 'utf8')).trim()
  if (available === '') return
  const wanted = available.split(' ').map((name) => `+${name}`)
  await writeFile(join(mountPoint, 'cgroup.subtree_control'), wanted.join(' '))
}

/** Version 1: a cpuset without processors and memory takes no process. cpusets(7). */
async function fillCpuset(mountPoint: string, directory: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems'])
    await writeFile(join(directory, file), (await readFile(join(mountPoint, file), 'utf8')).trim())
  await writeFile(join(directory, 'cgroup.clone_children'), '1')
}

/** Directories of the control groups of a lab's machines, or of one machine, wherever they lie on the host. */
export async function findCgroups(lab: string, machine?: string): Promise<string[]> {
  const isMeant = (name: string): boolean => {
    const plain = name.replace(/\.service$/, '')
    return machine === undefined ? plain.startsWith(cgroupPrefix(lab)) : plain === cgroupName(lab, machine)
  }
  const found: string[] = []
  for (const { mountPoint } of await hierarchies())
    for (const parent of [mountPoint, join(mountPoint, 'machine.slice')])
      for (const name of await subdirectories(parent)) if (isMeant(name)) found.push(join(parent, name))
  return found
}

/** Joins the control groups whose directories come before "--", then becomes the command after it. */
const JOIN_AND_EXEC =
  'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 126; shift; done; shift; exec "$@"'

/** The command line that runs `command` in the control groups. */
export function inCgroups(directories: readonly string[], command: readonly string[]): [string, ...string[]] {
  return ['sh', '-c', JOIN_AND_EXEC, 'sh', ...directories, '--', ...command]
}

/** Ends every process in the control groups and removes them. @throws {EdgeadmError} class `timeout` */
export async function destroyCgroups(directories: readonly string[]): Promise<void> {
  for (const directory of directories)
    await until(`the end of all processes in ${directory}`, 30_000, async () => {
      await thaw([directory])
      const groups = await descendants(directory)
      const processes = (await Promise.all(groups.map(processesIn))).flat()
      for (const pid of processes) killNow(pid)
      if (processes.length > 0) return undefined
      return (await removeGroups(groups)) ? true : undefined
    })
}

/**
 * Wakes the processes in the groups that somebody froze. With version 1 of control groups a frozen process cannot even be
 * killed, and runc freezes a container for a moment whenever it changes something about it: a power cut can hit just that.
 */
export async function thaw(directories: readonly string[]): Promise<void> {
  for (const directory of directories)
    for (const group of await descendants(directory)) {
      const file = join(group, 'freezer.state')
      try {
        if ((await readFile(file, 'utf8')).trim() !== 'THAWED') await writeFile(file, 'THAWED')
      } catch (error) {
        if (!isGone(error)) throw error
      }
    }
}

/** A group and all below it, deepest first. */
async function descendants(directory: string): Promise<string[]> {
  const below = await Promise.all(
    (await subdirectories(directory)).map((name) => descendants(join(directory, name))),
  )
  return [...below.flat(), directory]
}

/** Numbers of the processes in a group itself. */
export async function processesIn(directory: string): Promise<number[]> {
  try {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8')
    // 0 stands for a process outside this process namespace.
    return text
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** False while the kernel is still busy with a group's last process. */
async function removeGroups(groups: readonly string[]): Promise<boolean> {
  for (const group of groups)
    try {
      await rmdir(group)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false
      if (!isGone(error)) throw error
    }
  return true
}

async function subdirectories(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENODEV'
}
