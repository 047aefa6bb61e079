/**
 * Processes that a killed run of edgeadm left behind: kubeadm, tar, ctr go on after a kill -9 of their parent, and would
 * change the machine under the next run. They are known by a variable that every command of edgeadm inherits.
 */

import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'
import { startTimeOf, statFields } from './process-identity.ts'

/** The run that a command belongs to: `<pid>:<start time>` (see `startTimeOf`). */
export const RUN_VARIABLE = 'EDGEADM_RUN'

/** Milliseconds from SIGTERM to SIGKILL, and until a process that does not end is reported. */
const PATIENCE = 5000
const LIMIT = 10_000
const INTERVAL = 50

let own: Promise<string> | undefined

/** The value of {@link RUN_VARIABLE} for commands of this process. */
export async function ownRun(): Promise<string> {
  own ??= startTimeOf(process.pid).then((startTime) => `${process.pid}:${startTime}`)
  return own
}

/**
 * Ends what belongs to runs that are gone, and resolves when all of it has ended. Commands of runs that live are left
 * alone: `edgeadm status` and others hold no lock. To be called by the holder of the machine's lock.
 * @throws EdgeadmError class `preflight` that names a process which does not end: one in state D waits inside the kernel
 *   for a disk or a file server, and not even SIGKILL ends it before that answers
 */
export async function endOrphans(signal: AbortSignal): Promise<void> {
  const begun = Date.now()
  for (;;) {
    const pids = await orphans()
    if (pids.length === 0) return
    const waited = Date.now() - begun
    if (waited > LIMIT) throw await stuck(pids)
    for (const pid of pids) end(pid, waited < PATIENCE ? 'SIGTERM' : 'SIGKILL')
    await delay(INTERVAL, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

async function stuck(pids: readonly number[]): Promise<EdgeadmError> {
  const details = await Promise.all(
    pids.map(async (pid) => {
      const command = ((await readGone(readFile(`/proc/${pid}/cmdline`, 'utf8'))) ?? '').split('\0').join(' ')
      const [state = '?'] = await statFields(pid)
      return `pid ${pid}, state ${state}: ${command.trim()}`
    }),
  )
  return new EdgeadmError(
    'preflight',
    'a command of an earlier run of edgeadm is still at work on this machine and cannot be ended',
    {
      details,
      fix: 'see what it waits for (state D: a disk or a file server that does not answer), and run the same command again',
    },
  )
}

async function orphans(): Promise<number[]> {
  const namespace = await namespaceOf('self')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found: number[] = []
  for (const pid of pids) {
    if (Number(pid) === process.pid) continue
    const run = runOf((await readGone(readFile(`/proc/${pid}/environ`, 'latin1'))) ?? '')
    // A machine inside this one has runs of its own, which its own lock rules.
    if (run === undefined || (await namespaceOf(pid)) !== namespace) continue
    if ((await startTimeOf(run.pid)) === run.startTime) continue
    // A zombie has ended; its parent has not asked for its exit code yet.
    if ((await startTimeOf(Number(pid))) !== undefined) found.push(Number(pid))
  }
  return found
}

function runOf(environment: string): { readonly pid: number; readonly startTime: string } | undefined {
  const entry = environment.split('\0').find((one) => one.startsWith(`${RUN_VARIABLE}=`))
  const [, pid, startTime] = /=(\d+):(\d+)$/.exec(entry ?? '') ?? []
  return pid === undefined || startTime === undefined ? undefined : { pid: Number(pid), startTime }
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
