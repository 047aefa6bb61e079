import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks until the answer is right; a question that fails counts as a wrong answer.
 * @param limit milliseconds
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  limit: number,
): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const answer = await ask().catch((error: unknown) => error)
    if (!(answer instanceof Error) && isRight(answer as T)) return answer as T
    if (Date.now() > end)
      throw new Error(
        `not so within ${limit / 1000} s; the last answer was: ${answer instanceof Error ? answer.message : JSON.stringify(answer)}`,
      )
    await delay(500)
  }
}
