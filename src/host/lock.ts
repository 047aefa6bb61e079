/** One run at a time per machine. The lock lives in /run, so a reboot clears it, and it names its holder. */

import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import lockfile from 'proper-lockfile'
import { EdgeadmError } from '../output/errors.ts'

const RUN_DIRECTORY = '/run/edgeadm'
/** Milliseconds without a heartbeat after which a lock counts as abandoned, should its holder's pid be in use again. */
const STALE = 10_000

interface Holder {
  readonly pid: number
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
    if ((error as { code?: string }).code !== 'ELOCKED') throw error
    const holder = await readHolder(note)
    if (holder !== undefined && (await isAlive(holder.pid))) throw heldBy(holder)
    // Killed without a chance to give it back: its lock is taken over at once, not after the stale time.
    await fs.rm(options.lockfilePath, { recursive: true, force: true })
    release = await take()
  }
  const holder: Holder = { pid: process.pid, command, since: new Date().toISOString() }
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

/** Whether the pid is an edgeadm that still runs (a pid may have been given to another program since). */
async function isAlive(pid: number): Promise<boolean> {
  try {
    const commandLine = await fs.readFile(`/proc/${pid}/cmdline`, 'utf8')
    return commandLine.includes('edgeadm')
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === 'ENOENT' ||
      (error as NodeJS.ErrnoException).code === 'ESRCH'
    )
      return false
    throw error
  }
}
