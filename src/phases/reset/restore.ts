import { planOf, undoAll } from '../../host/undo.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** Plays the ledger backwards: every file, unit, kernel parameter and module as it was before edgeadm. */
export const restore: Phase<ResetContext> = {
  name: 'node/restore',
  title: 'Put back what edgeadm changed',
  run: async ({ machine, ledger, settings, emit, signal, residue }) => {
    const entries = await ledger.entries()
    const report = (entry: (typeof entries)[number]): void =>
      emit({ type: 'change', phase: 'node/restore', ...planOf(entry) })
    if (settings.dryRun) for (const entry of entries.reverse()) report(entry)
    else residue.push(...(await undoAll(machine, ledger, { signal, onEntry: report })))
  },
}
