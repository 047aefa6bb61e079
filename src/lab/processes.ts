/** Processes of this host, told apart from later ones that got the same number. */

import { readdir, readFile } from 'node:fs/promises'
import { bootId } from '../host/boot.ts'
import { startTimeOf } from '../host/process-identity.ts'

export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of /proc/PID/stat: clock ticks since boot. proc(5). */
  readonly startTime: string
  /** A number alone may mean another process after a reboot. */
  readonly bootId: string
}

/** Undefined if there is no such process, or only its zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = await startTimeOf(pid)
  return startTime === undefined ? undefined : { pid, startTime, bootId: await bootId() }
}

export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  const now = await identify(process.pid)
  return now !== undefined && now.startTime === process.startTime && now.bootId === process.bootId
}

/** Numbers of the child processes. */
export async function childrenOf(pid: number): Promise<number[]> {
  let threads: string[]
  try {
    threads = await readdir(`/proc/${pid}/task`)
  } catch {
    return [] // it has ended
  }
  const lists = await Promise.all(threads.map((thread) => readProc(pid, `task/${thread}/children`)))
  return lists.flatMap((list) => (list ?? '').split(' ').filter(Boolean).map(Number))
}

/** Whether the process is number 1 of a process namespace below this one. */
export async function isNamespaceInit(pid: number): Promise<boolean> {
  const status = await readProc(pid, 'status')
  const numbers = /^NSpid:\s+(.*)$/m.exec(status ?? '')?.[1]?.split(/\s+/) ?? []
  return numbers.length > 1 && numbers.at(-1) === '1'
}

/** Kills a process outright; one that is gone already is fine. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function readProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
