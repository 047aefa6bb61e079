import type { FileStat } from './host.ts'
import { LocalMachine } from './local.ts'

/**
 * This machine as a user without root's rights sees it, for dry runs: what may not be read counts as not there, and is
 * told to `onUnreadable`.
 */
export class UnprivilegedMachine extends LocalMachine {
  readonly #onUnreadable: (path: string) => void

  constructor(signal: AbortSignal, onUnreadable: (path: string) => void) {
    super(signal)
    this.#onUnreadable = onUnreadable
  }

  override async readFile(path: string): Promise<Buffer | undefined> {
    return this.#orAbsent(path, super.readFile(path), undefined)
  }

  override async list(path: string): Promise<string[]> {
    return this.#orAbsent(path, super.list(path), [])
  }

  override async stat(path: string): Promise<FileStat | undefined> {
    return this.#orAbsent(path, super.stat(path), undefined)
  }

  async #orAbsent<T>(path: string, operation: Promise<T>, absent: T): Promise<T> {
    try {
      return await operation
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'EACCES' && code !== 'EPERM') throw error
      this.#onUnreadable(path)
      return absent
    }
  }
}
