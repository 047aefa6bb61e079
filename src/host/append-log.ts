/**
 * A file of JSON lines that only grows: the ledger and the journal. A line that `append` has returned from is on the disk
 * and stays there after a power cut, in a directory whose entry for it is there too.
 */

import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { bootId } from './boot.ts'
import { syncDirectory } from './sync.ts'

/** What each line has beside its own fields. */
export interface Written {
  /** During which boot it was written; see `bootId`. */
  readonly boot: string
}

export class AppendLog<Line extends object> {
  readonly path: string
  /** Lines are written in the order of the calls, one call after the other. */
  #queue: Promise<void> = Promise.resolve()
  /** Whether the directory entries of the file are known to be on the disk. */
  #isLinked = false

  constructor(path: string) {
    this.path = path
  }

  /** All lines, oldest first. Empty if there is no such file. A line that a power cut tore is none. */
  async read(): Promise<(Line & Written)[]> {
    let text: string
    try {
      text = await readFile(this.path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    return text.split('\n').flatMap((line) => parseLine<Line & Written>(line))
  }

  /** Resolves when the lines are on the disk. Calls at the same time are written in their order, and none is lost. */
  async append(...lines: readonly Line[]): Promise<void> {
    const written = this.#queue.then(() => this.#write(lines))
    // A call that failed must not fail the next one.
    this.#queue = written.catch(() => {})
    await written
  }

  async #write(lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return
    const boot = await bootId()
    const directory = dirname(this.path)
    const made = await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = await open(this.path, 'a', 0o600)
    try {
      await appendLines(
        file,
        lines.map((line) => ({ ...line, boot })),
      )
    } finally {
      await file.close()
    }
    if (this.#isLinked) return
    await syncDirectory(directory)
    if (made !== undefined) await syncDirectory(dirname(made))
    this.#isLinked = true
  }
}

async function appendLines(file: FileHandle, lines: readonly object[]): Promise<void> {
  // The newline before each line ends one that a power cut tore.
  await file.writeFile(lines.map((line) => `\n${JSON.stringify(line)}\n`).join(''))
  await file.datasync()
}

/** After a power cut a file may end in a part of a line, or in zeros where data had not been written yet. */
function parseLine<Line>(line: string): Line[] {
  if (line === '') return []
  try {
    return [JSON.parse(line) as Line]
  } catch {
    return []
  }
}
