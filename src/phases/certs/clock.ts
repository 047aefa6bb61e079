import { findClockProblems } from '../../kubernetes/clock.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { Phase } from '../workflow.ts'
import type { RenewContext } from './context.ts'

/**
 * A clock that is wrong makes good certificates look ended, and new ones would be made for the wrong time. So it comes
 * first. `--ignore-preflight-errors=Clock` goes on all the same.
 */
export const clock: Phase<RenewContext> = {
  name: 'certs/clock',
  title: 'Check the clock',
  preliminary: true,
  run: async ({ host, settings, facts, emit, signal }) => {
    const problems = await findClockProblems(host, facts.found, signal)
    if (problems.length === 0) return
    if (settings.ignorePreflightErrors.some((name) => name === 'clock' || name === 'all')) {
      for (const text of problems) emit({ type: 'warning', text: `[WARNING Clock]: ${text}` })
      return
    }
    throw new EdgeadmError('preflight', 'the clock of this machine seems to be wrong; nothing was renewed', {
      details: problems.map((text) => `[ERROR Clock]: ${text}`),
      fix: 'set the clock (`timedatectl`, `chronyc makestep`) and run it again; if it is right, give --ignore-preflight-errors=Clock',
    })
  },
}
