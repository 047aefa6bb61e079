import { rm } from 'node:fs/promises'
import { EdgeadmError } from '../../output/errors.ts'
import { LOG_DIRECTORY } from '../../output/log-file.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'
import { writeReport } from './report.ts'
import { findResidue } from './residue-checks.ts'

/**
 * Looks whether anything is left, writes the report, and forgets the machine if nothing is: then the ledger goes, last of
 * all. What is left keeps the ledger, so that another `edgeadm reset` goes on with it.
 */
export const residue: Phase<ResetContext> = {
  name: 'node/residue',
  title: 'Look for what is left',
  run: async (ctx) => {
    const { settings, ledger, emit } = ctx
    if (settings.dryRun) {
      emit({ type: 'change', phase: 'node/residue', action: 'remove', target: ledger.directory })
      return
    }
    const left = [...ctx.residue, ...(await findResidue(ctx))]
    const report = await writeReport(LOG_DIRECTORY, ctx, left)
    const isHere = left.some(({ elsewhere, theirs }) => elsewhere !== true && theirs !== true)
    if (!isHere) await rm(ledger.directory, { recursive: true, force: true })
    const open = left.filter(({ theirs }) => theirs !== true)
    for (const { what, why, theirs } of left)
      if (theirs === true) emit({ type: 'warning', text: `${what}: ${why}` })
    if (open.length === 0) return
    throw new EdgeadmError('residue', 'reset is done, but not all is as it was before edgeadm', {
      details: [
        ...open.map(({ what, why }) => `${what}: ${why}`),
        ...(report === undefined ? [] : [`report: ${report}`]),
      ],
      fix: isHere
        ? 'mend the causes and run `edgeadm reset` again: it goes on with what is left'
        : 'do what is said above elsewhere; this machine is as it was before edgeadm',
    })
  },
}
