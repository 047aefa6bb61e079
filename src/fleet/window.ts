/** A sliding window over hosts: so many at once, none new once too many have failed or the user wants an end. */

import pLimit from 'p-limit'

export interface WindowOptions<T> {
  readonly items: readonly T[]
  readonly parallel: number
  /** Begins no more when it is false; what runs is waited for. */
  readonly mayBegin: () => boolean
  readonly work: (item: T) => Promise<void>
  readonly onSkip: (item: T) => void
}

/** Rejects with the first error of `work`, once all that was begun has ended. */
export async function inWindow<T>(options: WindowOptions<T>): Promise<void> {
  const { items, parallel, mayBegin, work, onSkip } = options
  const limit = pLimit(parallel)
  const outcomes = await Promise.allSettled(
    items.map((item) => limit(async () => (mayBegin() ? work(item) : onSkip(item)))),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}

/** How many hosts may fail before nothing new is begun. */
export class FailureBudget {
  readonly #most: number
  #failures = 0
  #spent = false

  constructor(most: number) {
    this.#most = most
  }

  get isSpent(): boolean {
    return this.#spent
  }

  /** @param isMaster one master is one too many */
  count(isMaster: boolean): void {
    this.#failures += 1
    if (isMaster || this.#failures > this.#most) this.#spent = true
  }
}
