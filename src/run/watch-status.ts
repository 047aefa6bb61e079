import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { clusterStatus, statusText } from './status.ts'

/** Milliseconds. */
const INTERVAL = 5000

/** One result after the other, until the signal. */
export async function watchStatus(kubeconfig: string | undefined, reporting: Reporting): Promise<void> {
  const { emit, signal } = reporting
  for (;;) {
    try {
      const status = await clusterStatus(kubeconfig, reporting)
      const hands = status.problems.map((text) => `! ${text}`)
      const text = [new Date().toISOString(), statusText(status), ...hands, ''].join('\n')
      emit({ type: 'result', text, data: status })
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'phase') throw error
      emit({ type: 'warning', text: [error.message, ...error.details].join(': ') })
    }
    await delay(INTERVAL, undefined, { signal })
  }
}
