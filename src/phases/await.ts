import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'

/** Milliseconds between two looks at a condition. */
const INTERVAL = 200

/**
 * Looks until `condition` is true. Anything else it resolves with says why not, and the last one is in the error.
 * @param limit milliseconds
 * @param interval milliseconds between two looks
 * @throws EdgeadmError class `timeout`
 */
export async function awaitCondition(
  what: string,
  limit: number,
  signal: AbortSignal,
  condition: () => Promise<true | string | false>,
  interval: number = INTERVAL,
): Promise<void> {
  const end = Date.now() + limit
  for (;;) {
    const state = await condition()
    if (state === true) return
    if (Date.now() > end) {
      throw new EdgeadmError('timeout', `waited ${limit / 1000} s for ${what}`, {
        details: state === false ? [] : [state],
      })
    }
    await delay(interval, undefined, { signal })
  }
}
