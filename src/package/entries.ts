/** A package read as a sequence of entries, whatever it is stored in. Readers push; everything in a visitor is synchronous. */

export interface PackageEntry {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Permission bits. */
  readonly mode: number
}

export interface EntrySink {
  data(chunk: Buffer): void
  end(): void
}

export interface EntryVisitor {
  /** Called for each file in the order in which it is stored. Throws to refuse it. */
  entry(entry: PackageEntry): EntrySink
  /** True once nothing more is wanted: the reader stops there. */
  finished(): boolean
}
