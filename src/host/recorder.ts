import type { Change } from './ledger.ts'

/** One change about to be made. */
export interface Step {
  /** What reset needs to take it back; null when there is nothing to take back. */
  readonly change: Change | null
  /** For the plan and the log: "write", "enable", … and of what. */
  readonly action: string
  readonly target: string
  /** Only for the record: nothing happens that a user would want to read. */
  readonly quiet?: boolean
  /** What it is about to hold, in full: for a file whose contents reset has to take apart later. */
  readonly content?: Uint8Array
  /** Of what subject (path, kernel parameter, unit) how edgeadm leaves it: see still-ours.ts. */
  readonly leaves?: { readonly subject: string; readonly as: string }
  /** Old and new text of a text file, for a diff. */
  readonly texts?: { readonly before: string; readonly after: string }
}

export interface Recorder {
  /** Called before each change: puts it on record, or only says it. */
  announce(step: Step): Promise<void>
  /** Keeps the contents of a file about to be replaced; returns the name for {@link Before}. */
  keep(content: Uint8Array): Promise<string>
  /** Whether the file's state before edgeadm is on record already; then a further change of it needs none. */
  hasRecord(path: string): Promise<boolean>
}
