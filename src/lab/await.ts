/** Waiting for a condition that the kernel does not announce. */

import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'

/**
 * Resolves with the first value that is not undefined.
 * @param what completes the sentence "… did not come about within N s"
 * @param limit milliseconds
 * @throws {EdgeadmError} class `timeout`, `interrupted`
 */
export async function until<T>(
  what: string,
  limit: number,
  check: () => Promise<T | undefined>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + limit
  for (;;) {
    if (signal?.aborted) throw new EdgeadmError('interrupted', `interrupted while waiting for ${what}`)
    const value = await check()
    if (value !== undefined) return value
    if (performance.now() > deadline)
      throw new EdgeadmError('timeout', `${what} did not come about within ${limit / 1000} s`)
    await delay(50)
  }
}
