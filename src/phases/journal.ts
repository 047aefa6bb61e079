/**
 * Which phases finished on this machine, with which inputs: /var/lib/edgeadm/journal.ndjson, append only. A rerun skips
 * what is done and still stands. It holds hashes of inputs, never the inputs.
 */

import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { STATE_DIRECTORY } from '../host/ledger.ts'

interface JournalLine {
  readonly command: string
  readonly phase: string
  readonly inputs: string
  /** RFC 3339, UTC. */
  readonly time: string
}

export class Journal {
  readonly #path: string
  readonly #command: string
  readonly #finished: Map<string, string>

  private constructor(path: string, command: string, finished: Map<string, string>) {
    this.#path = path
    this.#command = command
    this.#finished = finished
  }

  /** @param command init, join or reset: each has a list of its own */
  static async open(command: string, directory: string = STATE_DIRECTORY): Promise<Journal> {
    const path = join(directory, 'journal.ndjson')
    const lines = await readLines(path)
    const own = lines.filter((line) => line.command === command)
    return new Journal(path, command, new Map(own.map((line) => [line.phase, line.inputs])))
  }

  hasFinished(phase: string, inputs: string): boolean {
    return this.#finished.get(phase) === inputs
  }

  /** Whether this command finished any phase here: an earlier run to go on from. */
  get isEmpty(): boolean {
    return this.#finished.size === 0
  }

  async finished(phase: string, inputs: string): Promise<void> {
    const line: JournalLine = { command: this.#command, phase, inputs, time: new Date().toISOString() }
    this.#finished.set(phase, inputs)
    await fs.mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    await fs.appendFile(this.#path, `\n${JSON.stringify(line)}\n`, { mode: 0o600, flush: true })
  }
}

async function readLines(path: string): Promise<JournalLine[]> {
  let text: string
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
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
