/**
 * The ledger: what edgeadm changed on this machine and how each change is taken back. An entry is on disk, with the
 * previous contents beside it, before its change happens; `edgeadm reset` plays the entries backwards.
 *
 *     /var/lib/edgeadm/ledger.ndjson     one JSON document per line, append only, fsynced
 *     /var/lib/edgeadm/previous/<id>     contents of replaced files
 */

import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { AppendLog } from './append-log.ts'
import type { ServiceState, Undo } from './host.ts'
import { syncDirectory } from './sync.ts'

/** Where edgeadm keeps what it must know between runs. */
export const STATE_DIRECTORY = '/var/lib/edgeadm'

/** A file, link or directory as it was. `content` names a file in previous/. Times are seconds since the epoch. */
export type Before =
  | { readonly type: 'absent' }
  | {
      readonly type: 'file'
      readonly content: string
      readonly mode: number
      readonly uid: number
      readonly gid: number
      readonly modified: number
    }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'directory'; readonly mode: number; readonly uid: number; readonly gid: number }

export type Change =
  | {
      readonly kind: 'file'
      readonly path: string
      readonly before: Before
      /** Not changed by edgeadm: it only has to be there afterwards, in whatever state its owner brought it to. */
      readonly kept?: true
      /** Others add to it: reset takes edgeadm's own part out of it. */
      readonly format?: 'kubeconfig'
    }
  | { readonly kind: 'directory'; readonly path: string }
  /**
   * Made by something else later: kubeadm, the kubelet, a CNI plugin. `kept` names what a directory that was there
   * before already held, and stays; null when there was nothing, so that `path` itself goes. `deep`: `kept` has the
   * paths of all levels, relative to `path`, and each of them has an entry of its own with its contents.
   */
  | {
      readonly kind: 'claim'
      readonly path: string
      readonly kept: readonly string[] | null
      readonly deep?: boolean
    }
  | { readonly kind: 'service'; readonly unit: string; readonly before: ServiceState }
  | { readonly kind: 'sysctl'; readonly key: string; readonly before: string }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'mount'; readonly target: string }
  | { readonly kind: 'run'; readonly title: string; readonly undo: Undo }

export type LedgerEntry = Change & {
  /**
   * How edgeadm left it. Of a file that was there before, or has a `format`: a name in previous/. Of another file: its
   * fingerprint. Of a kernel parameter: its value. Of a unit that ran before: that edgeadm restarted it. See still-ours.ts.
   */
  readonly after?: string
  /** Taken off the record without being put back: somebody had changed it since. Only in `history`. */
  readonly isTheirs?: true
  readonly id: string
  /** The phase that made the change. */
  readonly phase: string
  /** RFC 3339, UTC. */
  readonly time: string
}

type LedgerLine =
  | LedgerEntry
  | { readonly kind: 'undone'; readonly id: string; readonly theirs?: true }
  | { readonly kind: 'written'; readonly path: string; readonly after: string }

export class Ledger {
  readonly #directory: string
  /** A line that a power cut tore is no entry: its change had not begun, since an entry is on disk before its change. */
  readonly #log: AppendLog<LedgerLine>
  /** Paths and units with an entry that is not undone; read from disk once. */
  #paths: Promise<Set<string>> | undefined

  constructor(directory: string = STATE_DIRECTORY) {
    this.#directory = directory
    this.#log = new AppendLog(join(directory, 'ledger.ndjson'))
  }

  get directory(): string {
    return this.#directory
  }

  /**
   * Puts a change on record; the change itself comes after.
   * @param after how edgeadm leaves it: see {@link LedgerEntry.after}
   */
  async record(phase: string, change: Change, after?: string): Promise<void> {
    const paths = await this.#recordedPaths()
    await this.#log.append({
      ...change,
      ...(after === undefined ? {} : { after }),
      id: randomUUID(),
      phase,
      time: new Date().toISOString(),
    })
    for (const subject of subjectsOf(change)) paths.add(subject)
  }

  /** Whether the state before edgeadm of a file, a claimed path or a unit (by its name) is on record. */
  async hasRecord(path: string): Promise<boolean> {
    return (await this.#recordedPaths()).has(path)
  }

  /** Says what a recorded file is about to hold, so that reset knows whether somebody else changed it since. */
  async written(path: string, content: Uint8Array): Promise<void> {
    await this.#log.append({ kind: 'written', path, after: await this.keep(content) })
  }

  /** Says how edgeadm leaves a subject (path, kernel parameter, unit): see still-ours.ts. */
  async left(subject: string, as: string): Promise<void> {
    await this.#log.append({ kind: 'written', path: subject, after: as })
  }

  /** Whether a directory that is edgeadm's as a whole holds this path: nothing was there before. */
  async isClaimed(path: string): Promise<boolean> {
    return (await this.entries()).some(
      (entry) => entry.kind === 'claim' && path.startsWith(`${entry.path}/`) && !isKept(entry, path),
    )
  }

  /** Marks an entry as settled though nothing was put back: somebody else changed it since, so it is theirs. */
  async markTheirs(id: string): Promise<void> {
    await this.#log.append({ kind: 'undone', id, theirs: true })
    this.#paths = undefined
  }

  /** Marks an entry as taken back, so that an interrupted reset goes on behind it. */
  async markUndone(id: string): Promise<void> {
    await this.#log.append({ kind: 'undone', id })
    this.#paths = undefined
  }

  /** Keeps contents for {@link Before.content}; returns their name. */
  async keep(content: Uint8Array): Promise<string> {
    const name = randomUUID()
    const directory = join(this.#directory, 'previous')
    await fs.mkdir(directory, { recursive: true, mode: 0o700 })
    await fs.writeFile(join(directory, name), content, { mode: 0o600, flush: true })
    await syncDirectory(directory)
    return name
  }

  async kept(name: string): Promise<Buffer> {
    return fs.readFile(join(this.#directory, 'previous', name))
  }

  /** What is still to be taken back, oldest first. */
  async entries(): Promise<LedgerEntry[]> {
    const lines: LedgerLine[] = await this.#log.read()
    const undone = new Set(lines.filter((line) => line.kind === 'undone').map((line) => line.id))
    const written = new Map(
      lines.flatMap((line) => (line.kind === 'written' ? [[line.path, line.after] as const] : [])),
    )
    return lines.filter(isEntry).flatMap((entry) => {
      if (undone.has(entry.id)) return []
      const after = written.get(subjectOf(entry)) ?? entry.after
      return [after === undefined ? entry : { ...entry, after }]
    })
  }

  /** Everything that was ever on record, taken back or not, oldest first. */
  async history(): Promise<LedgerEntry[]> {
    const lines: LedgerLine[] = await this.#log.read()
    const theirs = new Set(
      lines.flatMap((line) => (line.kind === 'undone' && line.theirs === true ? [line.id] : [])),
    )
    return lines.filter(isEntry).map((entry) => (theirs.has(entry.id) ? { ...entry, isTheirs: true } : entry))
  }

  async #recordedPaths(): Promise<Set<string>> {
    this.#paths ??= this.entries().then((entries) => new Set(entries.flatMap((entry) => subjectsOf(entry))))
    return this.#paths
  }
}

const isEntry = (line: LedgerLine): line is LedgerEntry => line.kind !== 'undone' && line.kind !== 'written'

/**
 * What needs one record only: a second one would hold what edgeadm itself made of it. A unit that edgeadm installed, started
 * and later restarted would be started again by reset.
 */
function subjectsOf(change: Change): string[] {
  if (change.kind === 'file' || change.kind === 'claim') return [change.path]
  return change.kind === 'service' ? [change.unit] : []
}

/** What `left` and `written` say something about. */
function subjectOf(change: Change): string {
  if (change.kind === 'sysctl') return change.key
  if (change.kind === 'service') return change.unit
  return change.kind === 'file' ? change.path : ''
}

/** Whether a path was in a claimed directory before. */
function isKept(claim: Change & { kind: 'claim' }, path: string): boolean {
  const relative = path.slice(claim.path.length + 1)
  return (
    claim.kept?.some(
      (kept) => relative === kept || (claim.deep !== true && relative.startsWith(`${kept}/`)),
    ) === true
  )
}
