/**
 * Which phases finished on this machine, with which inputs, and which settings the run had: /var/lib/edgeadm/journal.ndjson,
 * append only. A rerun skips what is done and still stands. It holds hashes of inputs, never the inputs, and no secrets.
 *
 * A phase is noted as finished at once. That holds during the same boot, whatever happens to the run. What the phase wrote
 * is then brought to the disk, and noted as synced. After another boot only a phase that is noted as synced counts: a power
 * cut may have taken what the others wrote, and have left empty files.
 */

import { join } from 'node:path'
import { AppendLog, type Written } from '../host/append-log.ts'
import { bootId } from '../host/boot.ts'
import { STATE_DIRECTORY } from '../host/ledger.ts'

interface PhaseLine {
  readonly command: string
  readonly phase: string
  readonly inputs: string
  /** RFC 3339, UTC. */
  readonly time: string
}

interface StartLine {
  readonly command: string
  readonly started: string
}

interface SyncLine {
  readonly command: string
  /** Names of finished phases. */
  readonly synced: readonly string[]
}

/** What a run was asked for, in words that a user knows; written before the phases that carry it out. */
export interface SettingsLine {
  readonly command: string
  readonly settings: Readonly<Record<string, string>>
  /** RFC 3339, UTC. */
  readonly time: string
}

type JournalLine = PhaseLine | SettingsLine | StartLine | SyncLine

export interface JournalOptions {
  /** For a dry run: nothing is written, and a journal that may not be read is an empty one. */
  readonly readOnly?: boolean
  /** Default: {@link STATE_DIRECTORY}. */
  readonly directory?: string
  /** Brings to the disk what phases wrote. Default: nothing is to be brought there. */
  readonly sync?: () => Promise<void>
  /** Default: that of the running kernel. */
  readonly boot?: string
}

export class Journal {
  /** The settings of the latest run before this one, whichever command it was. */
  readonly earlier: SettingsLine | undefined
  readonly #log: AppendLog<JournalLine>
  readonly #command: string
  readonly #lines: readonly PhaseLine[]
  /** Phases that count as finished, with their inputs. */
  readonly #finished = new Map<string, string>()
  /** Phases that another boot interrupted. */
  readonly #cutOff = new Set<string>()
  readonly #options: JournalOptions
  #waiting: JournalLine[] = []
  #unsynced: string[] = []
  #syncing: Promise<void> | undefined

  private constructor(
    log: AppendLog<JournalLine>,
    command: string,
    lines: readonly (JournalLine & Written)[],
    boot: string,
    options: JournalOptions,
  ) {
    this.#log = log
    this.#options = options
    this.#command = command
    this.#lines = lines.filter((line) => 'phase' in line)
    this.earlier = lines.findLast((line) => 'settings' in line)
    this.#replay(lines, boot)
  }

  /** @param command init, join or reset: each has a list of its own */
  static async open(command: string, options: JournalOptions = {}): Promise<Journal> {
    const log = new AppendLog<JournalLine>(join(options.directory ?? STATE_DIRECTORY, 'journal.ndjson'))
    const lines = await log.read().catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' && options.readOnly === true) return []
      throw error
    })
    return new Journal(log, command, lines, options.boot ?? (await bootId()), options)
  }

  /**
   * What an upgrade changed of the settings that a node keeps for its life: later runs compare theirs with these. Of settings
   * that are not on record nothing is written.
   */
  static async changeSettings(
    changes: Readonly<Record<string, string>>,
    directory: string = STATE_DIRECTORY,
  ): Promise<void> {
    const log = new AppendLog<JournalLine>(join(directory, 'journal.ndjson'))
    const latest = (await log.read()).findLast((line) => 'settings' in line)
    if (latest === undefined) return
    const known = Object.entries(changes).filter(([name]) => name in latest.settings)
    const settings = { ...latest.settings, ...Object.fromEntries(known) }
    if (JSON.stringify(settings) === JSON.stringify(latest.settings)) return
    await log.append({ command: latest.command, settings, time: new Date().toISOString() })
  }

  hasFinished(phase: string, inputs: string): boolean {
    return this.#finished.get(phase) === inputs
  }

  /**
   * Whether an earlier run was in this phase, or had just finished it, when the machine went down: files that it made may be
   * empty, though they are there.
   */
  wasCutOff(phase: string): boolean {
    return this.#cutOff.has(phase)
  }

  /** Whether a command ever finished a phase here, with whatever inputs. */
  everFinished(command: string, phase: string): boolean {
    return this.#lines.some((line) => line.command === command && line.phase === phase)
  }

  /** Says what this run is asked for. Comes to disk with the first phase that changes the machine. */
  begin(settings: Readonly<Record<string, string>>): void {
    const { earlier } = this
    if (earlier?.command === this.#command && JSON.stringify(earlier.settings) === JSON.stringify(settings))
      return
    this.#waiting.push({ command: this.#command, settings, time: new Date().toISOString() })
  }

  /** To be called before a phase changes something. Brings to disk what waits. */
  async started(phase: string): Promise<void> {
    this.#waiting.push({ command: this.#command, started: phase })
    await this.#flush()
  }

  /**
   * Resolves when it is noted. The sync goes on beside the next phases; `settled` waits for it.
   * @param preliminary nothing was changed yet, so that nothing may be written either: it comes to disk with the next one
   */
  async finished(phase: string, inputs: string, preliminary = false): Promise<void> {
    this.#waiting.push({ command: this.#command, phase, inputs, time: new Date().toISOString() })
    this.#finished.set(phase, inputs)
    this.#unsynced.push(phase)
    if (preliminary) return
    await this.#flush()
    this.#syncing ??= this.#sync()
    // Its error is that of `settled`.
    this.#syncing.catch(() => {})
  }

  /** Resolves when all that finished is on the disk. Rejects if a disk refused. */
  async settled(): Promise<void> {
    await this.#syncing
  }

  async #flush(): Promise<void> {
    // Taken before the first wait: another phase may add lines meanwhile.
    const lines = this.#waiting.splice(0)
    if (this.#options.readOnly !== true) await this.#log.append(...lines)
  }

  /** One sync at a time, for all phases that finished before it began. */
  async #sync(): Promise<void> {
    if (this.#options.readOnly === true) return
    while (this.#unsynced.length > 0) {
      const synced = this.#unsynced.splice(0)
      await this.#options.sync?.()
      await this.#log.append({ command: this.#command, synced })
    }
    this.#syncing = undefined
  }

  #replay(lines: readonly (JournalLine & Written)[], boot: string): void {
    const unsynced = new Map<string, string>()
    for (const line of lines) {
      if (line.command !== this.#command) continue
      if ('started' in line) {
        if (line.boot !== boot) this.#cutOff.add(line.started)
      } else if ('phase' in line) {
        if (line.boot === boot) {
          this.#finished.set(line.phase, line.inputs)
          this.#cutOff.delete(line.phase)
        } else unsynced.set(line.phase, line.inputs)
      } else if ('synced' in line) {
        for (const phase of line.synced) {
          const inputs = unsynced.get(phase)
          if (inputs === undefined) continue
          this.#finished.set(phase, inputs)
          this.#cutOff.delete(phase)
        }
      }
    }
  }
}
