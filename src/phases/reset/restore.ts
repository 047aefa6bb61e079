import { planOf, undoAll } from '../../host/undo.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** Plays the ledger backwards: every file, unit and kernel parameter as it was before edgeadm. */
export const restore: Phase<ResetContext> = {
  name: 'node/restore',
  title: 'Put back what edgeadm changed',
  run: async ({ machine, ledger, settings, emit, signal, residue }) => {
    const entries = await ledger.entries()
    const report = (entry: (typeof entries)[number]): void =>
      emit({ type: 'change', phase: 'node/restore', ...planOf(entry) })
    if (settings.dryRun)
      entries
        .filter(({ kind }) => kind !== 'module')
        .reverse()
        .forEach(report)
    else residue.push(...(await undoAll(machine, ledger, { signal, onEntry: report })))
  },
}
