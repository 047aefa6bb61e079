/**
 * Which phases finished on this machine, with which inputs, and which settings the run had: /var/lib/edgeadm/journal.ndjson,
 * append only. A rerun skips what is done and still stands. It holds hashes of inputs, never the inputs, and no secrets.
 */

import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { STATE_DIRECTORY } from '../host/ledger.ts'

interface PhaseLine {
  readonly command: string
  readonly phase: string
  readonly inputs: string
  /** RFC 3339, UTC. */
  readonly time: string
}

/** What a run was asked for, in words that a user knows; written before the phases that carry it out. */
export interface SettingsLine {
  readonly command: string
  readonly settings: Readonly<Record<string, string>>
  /** RFC 3339, UTC. */
  readonly time: string
}

type JournalLine = PhaseLine | SettingsLine

export interface JournalOptions {
  /** For a dry run: nothing is written, and a journal that may not be read is an empty one. */
  readonly readOnly?: boolean
  /** Default: {@link STATE_DIRECTORY}. */
  readonly directory?: string
}

export class Journal {
  /** The settings of the latest run before this one, whichever command it was. */
  readonly earlier: SettingsLine | undefined
  readonly #path: string
  readonly #command: string
  readonly #lines: readonly PhaseLine[]
  readonly #finished: Map<string, string>
  readonly #readOnly: boolean
  #waiting: JournalLine[] = []

  private constructor(path: string, command: string, lines: readonly JournalLine[], readOnly: boolean) {
    this.#path = path
    this.#readOnly = readOnly
    this.#command = command
    this.#lines = lines.filter((line) => 'phase' in line)
    this.earlier = lines.findLast((line) => 'settings' in line)
    const own = this.#lines.filter((line) => line.command === command)
    this.#finished = new Map(own.map((line) => [line.phase, line.inputs]))
  }

  /** @param command init, join or reset: each has a list of its own */
  static async open(command: string, options: JournalOptions = {}): Promise<Journal> {
    const path = join(options.directory ?? STATE_DIRECTORY, 'journal.ndjson')
    return new Journal(
      path,
      command,
      await readLines(path, options.readOnly === true),
      options.readOnly === true,
    )
  }

  hasFinished(phase: string, inputs: string): boolean {
    return this.#finished.get(phase) === inputs
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

  /** @param preliminary nothing was changed yet, so that nothing may be written either: it comes to disk with the next one */
  async finished(phase: string, inputs: string, preliminary = false): Promise<void> {
    this.#waiting.push({ command: this.#command, phase, inputs, time: new Date().toISOString() })
    this.#finished.set(phase, inputs)
    if (!preliminary) await this.flush()
  }

  /** Brings to disk what waits; called before the first change. */
  async flush(): Promise<void> {
    if (this.#readOnly || this.#waiting.length === 0) return
    await fs.mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const text = this.#waiting.map((line) => `\n${JSON.stringify(line)}\n`).join('')
    await fs.appendFile(this.#path, text, { mode: 0o600, flush: true })
    this.#waiting = []
  }
}

async function readLines(path: string, readOnly: boolean): Promise<JournalLine[]> {
  let text: string
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || (code === 'EACCES' && readOnly)) return []
    throw error
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as JournalLine]
    } catch {
      // Torn by a power cut: the phase counts as unfinished and is repeated.
      return []
    }
  })
}
