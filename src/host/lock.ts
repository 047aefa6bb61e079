/** One run at a time per machine. The lock lives in /run, so a reboot clears it, and it names its holder. */

import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { EdgeadmError } from '../output/errors.ts'

const RUN_DIRECTORY = '/run/edgeadm'
/** Milliseconds without a heartbeat after which a lock counts as abandoned, should its holder's pid be in use again. */
const STALE = 10_000

/** Milliseconds. Between taking the lock and writing who did, a run needs a moment. */
const NOTE_DELAY = 1000
const INTERVAL = 50

interface Holder {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat (proc(5)): tells the process from a later one with the same number. */
  readonly startTime: string
  readonly command: string
  /** RFC 3339, UTC. */
  readonly since: string
}

/**
 * Takes the machine's lock; resolves with the function that gives it back.
 * @throws EdgeadmError class `locked`, naming who holds it
 */
export async function lockMachine(
  command: string,
  directory: string = RUN_DIRECTORY,
): Promise<() => Promise<void>> {
  await fs.mkdir(directory, { recursive: true, mode: 0o755 })
  const target = join(directory, 'edgeadm')
  const note = join(directory, 'holder.json')
  const options = { realpath: false, stale: STALE, lockfilePath: join(directory, 'lock') }
  const take = async (): Promise<() => Promise<void>> => lockfile.lock(target, options)
  let release: () => Promise<void>
  try {
    release = await take()
  } catch (error) {
    if (!isLocked(error)) throw error
    const holder = await awaitHolder(note)
    if (holder === undefined) throw heldBySomebody(directory)
    if ((await startTimeOf(holder.pid)) === holder.startTime) throw heldBy(holder)
    // Killed without a chance to give it back: its lock is taken over at once, not after the stale time.
    await fs.rm(note, { force: true })
    await fs.rm(options.lockfilePath, { recursive: true, force: true })
    release = await take().catch((again: unknown) => {
      throw isLocked(again) ? heldBySomebody(directory) : again
    })
  }
  const startTime = (await startTimeOf(process.pid)) ?? ''
  const holder: Holder = { pid: process.pid, startTime, command, since: new Date().toISOString() }
  await fs.writeFile(note, JSON.stringify(holder))
  return async () => {
    await fs.rm(note, { force: true })
    await release()
    await fs.rmdir(directory).catch((error: NodeJS.ErrnoException) => {
      // Another run may have taken the lock in the meantime.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
    })
  }
}

function isLocked(error: unknown): boolean {
  return (error as { code?: string }).code === 'ELOCKED'
}

async function awaitHolder(note: string): Promise<Holder | undefined> {
  for (const end = Date.now() + NOTE_DELAY; ; await delay(INTERVAL)) {
    const holder = await readHolder(note)
    if (holder !== undefined || Date.now() > end) return holder
  }
}

/** Taken a moment ago by a run that has not said yet which it is, or was killed before it could. */
function heldBySomebody(directory: string): EdgeadmError {
  return new EdgeadmError(
    'locked',
    `another run of edgeadm has just taken this machine's lock in ${directory}`,
    {
      fix: `wait for it to end; if there is none, the lock is free again after ${STALE / 1000} s`,
    },
  )
}

function heldBy(holder: Holder): EdgeadmError {
  return new EdgeadmError(
    'locked',
    `another run holds this machine: \`edgeadm ${holder.command}\`, pid ${holder.pid}, since ${holder.since}`,
    {
      fix: `wait for it to end, or look at it with \`ps -fp ${holder.pid}\``,
    },
  )
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await fs.readFile(path, 'utf8')) as Holder
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Undefined if there is no such process, or only its zombie. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name in parentheses, may itself contain blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isGone = fields[0] === 'Z' || fields[0] === 'X'
    return isGone ? undefined : fields[19]
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
