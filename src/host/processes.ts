/** Processes of this machine, from /proc (proc(5)), through the host. */

import type { Look } from './host.ts'

export interface Process {
  readonly pid: number
  readonly parent: number
  /** The program and its arguments; empty for a thread of the kernel. */
  readonly command: readonly string[]
  /** The text of /proc/<pid>/cgroup. */
  readonly cgroup: string
}

/** All that run now; one that ends meanwhile is left out, and so is a zombie. */
export async function processes(host: Look): Promise<Process[]> {
  const pids = (await host.list('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(pids.map(async (pid) => readProcess(host, Number(pid))))
  return found.filter((one) => one !== undefined)
}

async function readProcess(host: Look, pid: number): Promise<Process | undefined> {
  const [status, command, cgroup] = await Promise.all(
    ['status', 'cmdline', 'cgroup'].map((name) => readOrGone(host, `/proc/${pid}/${name}`)),
  )
  const state = /^State:\s+(\S)/m.exec(status ?? '')?.[1]
  if (status === undefined || state === 'Z' || state === 'X') return undefined
  return {
    pid,
    parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    command: (command ?? '').split('\0').slice(0, -1),
    cgroup: cgroup ?? '',
  }
}

/** Reading of a process that ends at this moment fails with ESRCH. */
async function readOrGone(host: Look, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined
    throw error
  }
}

/** `roots` and all that descends from them. */
export function withDescendants(all: readonly Process[], roots: readonly Process[]): Process[] {
  const found = new Set(roots)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    const pids = new Set([...found].map(({ pid }) => pid))
    for (const one of all) if (pids.has(one.parent)) found.add(one)
  }
  return [...found]
}
