/**
 * Processes that a killed run of edgeadm left behind: kubeadm, tar, ctr go on after a kill -9 of their parent, and would
 * change the machine under the next run. They are known by a variable that every command of edgeadm inherits.
 */

import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** The process number of the run that a command belongs to. */
export const RUN_VARIABLE = 'EDGEADM_RUN'

/** Milliseconds from SIGTERM to SIGKILL. */
const PATIENCE = 5000
const INTERVAL = 50

/** Ends them and resolves when they are gone. To be called by whoever holds the machine's lock: then no other run lives. */
export async function endOrphans(): Promise<void> {
  const begun = Date.now()
  for (;;) {
    const pids = await orphans()
    if (pids.length === 0) return
    for (const pid of pids) end(pid, Date.now() - begun < PATIENCE ? 'SIGTERM' : 'SIGKILL')
    await delay(INTERVAL)
  }
}

async function orphans(): Promise<number[]> {
  const own = await namespaceOf('self')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found: number[] = []
  for (const pid of pids) {
    const run = runOf((await readGone(readFile(`/proc/${pid}/environ`, 'latin1'))) ?? '')
    // A machine inside this one has runs of its own, which its own lock rules.
    if (run !== undefined && run !== process.pid && (await namespaceOf(pid)) === own) found.push(Number(pid))
  }
  return found
}

function runOf(environment: string): number | undefined {
  const entry = environment.split('\0').find((one) => one.startsWith(`${RUN_VARIABLE}=`))
  return entry === undefined ? undefined : Number(entry.slice(RUN_VARIABLE.length + 1))
}

async function namespaceOf(pid: string): Promise<string | undefined> {
  return readGone(readlink(`/proc/${pid}/ns/pid`))
}

/** Undefined for a process that ended meanwhile. */
async function readGone<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
