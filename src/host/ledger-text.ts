import type { LedgerEntry } from './ledger.ts'

export interface LedgerContents {
  /** What is still to be taken back, oldest first. */
  readonly pending: readonly LedgerEntry[]
  /** All that ever was on record, oldest first. */
  readonly history: readonly LedgerEntry[]
}

/** The same as {@link Ledger}'s `entries` and `history`, from its text: for a reader that need not have root's rights. */
export function parseLedger(text: string): LedgerContents {
  const lines = text.split('\n').flatMap(parse)
  const undone = new Set(lines.flatMap((line) => (line.kind === 'undone' ? [line.id] : [])))
  const history = lines.filter(
    (line): line is LedgerEntry => line.kind !== 'undone' && line.kind !== 'written',
  )
  return { history, pending: history.filter(({ id }) => !undone.has(id)) }
}

function parse(line: string): (LedgerEntry | { kind: 'undone' | 'written'; id: string })[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as LedgerEntry]
  } catch {
    // A power cut tore it; its change had not begun.
    return []
  }
}
