/** Locks that hold between processes and vanish with the one that was killed. */

import { lock } from 'proper-lockfile'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'

/** A lock that was not renewed for so long (milliseconds) belongs to a process that is gone. */
const STALE = 15_000

/** Runs `work` while no other process does so for the same path, which need not exist. Waits for its turn. */
export async function withLock<T>(
  path: string,
  { emit, signal }: Reporting,
  work: () => Promise<T>,
): Promise<T> {
  let told = false
  for (;;) {
    if (signal.aborted)
      throw new EdgeadmError('interrupted', `interrupted while waiting for the lock on ${path}`)
    const release = await tryLock(path)
    if (release) {
      try {
        return await work()
      } finally {
        await release()
      }
    }
    if (!told) emit({ type: 'output', text: `waiting for another run of edgeadm that works on ${path}` })
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lock(path, {
      realpath: false,
      stale: STALE,
      onCompromised: (error) => {
        throw new EdgeadmError('locked', `lost the lock on ${path}: ${messageOf(error)}`)
      },
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined
    throw error
  }
}
