import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from './errors.ts'
import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'

/** Kept after `reset`: what was done to a machine is worth knowing later. */
export const LOG_DIRECTORY = '/var/log/edgeadm'

/**
 * Every event of a run that changes the machine, as JSON lines in /var/log/edgeadm/<command>-<time>.log (mode 0600).
 * Made with the first change, so a run that is refused before it, or a dry run, leaves nothing. A disk that is full or
 * read-only ends the log and not the run.
 */
export class LogFile implements Renderer {
  readonly #directory: string
  readonly #onFailure: (text: string) => void
  #descriptor: number | undefined
  #path: string | undefined
  /** What the path will be. */
  #target = ''
  /** Lines not yet written, of a run that has changed nothing so far; undefined outside of a run. */
  #before: string[] | undefined

  /** @param onFailure called at most once, with a warning for the user: nothing is logged from then on */
  constructor(directory: string = LOG_DIRECTORY, onFailure: (text: string) => void = () => {}) {
    this.#directory = directory
    this.#onFailure = onFailure
  }

  /** Undefined as long as nothing is logged. */
  get path(): string | undefined {
    return this.#path
  }

  handle(event: Event): void {
    if (event.type === 'run' && !event.dryRun) {
      const stamp = event.time.replace(/[-:]/g, '').replace(/\.\d+/, '')
      this.#before = []
      this.#target = join(this.#directory, `${event.command.replaceAll(/[^a-z0-9]+/g, '-')}-${stamp}.log`)
    }
    // The result may carry a token (the join line), and progress says nothing afterwards.
    if (this.#before === undefined || event.type === 'result' || event.type === 'progress') return
    this.#before.push(`${JSON.stringify(event)}\n`)
    if (event.type !== 'change' && this.#descriptor === undefined) return
    try {
      this.#write(this.#before.splice(0).join(''))
    } catch (error) {
      this.#before = undefined
      this.#onFailure(
        `${this.#target} cannot be written, and this run is not logged further: ${messageOf(error)}`,
      )
    }
  }

  #write(text: string): void {
    if (this.#descriptor === undefined) {
      mkdirSync(this.#directory, { recursive: true, mode: 0o750 })
      this.#descriptor = openSync(this.#target, 'a', 0o600)
      this.#path = this.#target
    }
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at)
  }

  async close(): Promise<void> {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
    this.#before = undefined
  }
}
