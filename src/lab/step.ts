/** Reports a piece of the lab's work as a phase. */

import { messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'

/** @param phase short name, for programs; `title` is what the user reads */
export async function step<T>(
  { emit }: Reporting,
  phase: string,
  title: string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now()
  const ms = () => Math.round(performance.now() - start)
  emit({ type: 'phase', phase, title, state: 'started' })
  try {
    const result = await work()
    emit({ type: 'phase', phase, title, state: 'done', ms: ms() })
    return result
  } catch (error) {
    emit({ type: 'phase', phase, title, state: 'failed', reason: messageOf(error), ms: ms() })
    throw error
  }
}
