/** Locks between processes on something of the lab's. */

import { waitForLock } from '../host/flock.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'

/** Runs `work` while no other process does so for the same path, which need not exist. Waits for its turn. */
export async function withLock<T>(
  path: string,
  { emit, signal }: Reporting,
  work: () => Promise<T>,
): Promise<T> {
  const waiting = (): void =>
    emit({ type: 'output', text: `waiting for another run of edgeadm that works on ${path}` })
  const lock = await waitForLock(`${path}.lock-file`, signal, waiting).catch((error: unknown) => {
    if (!signal.aborted) throw error
    throw new EdgeadmError('interrupted', `interrupted while waiting for the lock on ${path}`)
  })
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
