/** One run at a time per machine. The lock is a file in /run that names its holder; see flock.ts for what holds it. */

import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'
import { tryLock } from './flock.ts'
import { startTimeOf } from './process-identity.ts'

/** A file and not an abstract socket: those are one per network namespace, and any user may take their name. */
const RUN_DIRECTORY = '/run/edgeadm'

/** Milliseconds. Between taking the lock and writing who did, a run needs a moment. */
const NOTE_DELAY = 1000
const INTERVAL = 50

interface Holder {
  readonly pid: number
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
  const path = join(directory, 'lock')
  const lock = await tryLock(path)
  if (lock === undefined) throw await heldBy(path)
  const startTime = (await startTimeOf(process.pid)) ?? ''
  const holder: Holder = { pid: process.pid, startTime, command, since: new Date().toISOString() }
  await lock.note(JSON.stringify(holder))
  return async () => {
    await lock.release()
    await fs.rmdir(directory).catch((error: NodeJS.ErrnoException) => {
      // Another run may have taken the lock in the meantime.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
    })
  }
}

async function heldBy(path: string): Promise<EdgeadmError> {
  const holder = await awaitHolder(path)
  if (holder === undefined)
    return new EdgeadmError('locked', `another run of edgeadm has just taken this machine's lock ${path}`, {
      fix: `wait for it to end; \`fuser ${path}\` shows its pid`,
    })
  const { command, pid, since } = holder
  return new EdgeadmError(
    'locked',
    `another run holds this machine: \`edgeadm ${command}\`, pid ${pid}, since ${since}`,
    { fix: `wait for it to end, or look at it with \`ps -fp ${pid}\`` },
  )
}

/** What the file says, unless it is still the note of a run that ended. */
async function awaitHolder(path: string): Promise<Holder | undefined> {
  for (const end = Date.now() + NOTE_DELAY; ; await delay(INTERVAL)) {
    const holder = await readHolder(path)
    const isAlive = holder !== undefined && (await startTimeOf(holder.pid)) === holder.startTime
    if (isAlive) return holder
    if (Date.now() > end) return undefined
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await fs.readFile(path, 'utf8')) as Holder
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
