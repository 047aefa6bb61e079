import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'

/** Kept after `reset`: what was done to a machine is worth knowing later. */
export const LOG_DIRECTORY = '/var/log/edgeadm'

/**
 * Every event of a run that changes the machine, as JSON lines in /var/log/edgeadm/<command>-<time>.log (mode 0600).
 * Made with the first change, so a run that is refused before it, or a dry run, leaves nothing.
 */
export class LogFile implements Renderer {
  readonly #directory: string
  #path: string | undefined
  /** What the path will be. */
  #target = ''
  /** Lines not yet written, of a run that has changed nothing so far; undefined outside of a run. */
  #before: string[] | undefined

  constructor(directory: string = LOG_DIRECTORY) {
    this.#directory = directory
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
    if (event.type === 'change' && this.#path === undefined) {
      mkdirSync(this.#directory, { recursive: true, mode: 0o750 })
      this.#path = this.#target
    }
    if (this.#path === undefined) return
    appendFileSync(this.#path, this.#before.join(''), { mode: 0o600 })
    this.#before = []
  }

  async close(): Promise<void> {}
}
