import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'

/** Kept after `reset`: what was done to a machine is worth knowing later. */
export const LOG_DIRECTORY = '/var/log/edgeadm'

/**
 * Every event of a run that changes the machine, as JSON lines in /var/log/edgeadm/<command>-<time>.log (mode 0600).
 * Opened by the `run` event, so a run that fails before it, or a dry run, leaves nothing.
 */
export class LogFile implements Renderer {
  readonly #directory: string
  #path: string | undefined

  constructor(directory: string = LOG_DIRECTORY) {
    this.#directory = directory
  }

  /** Undefined as long as nothing is logged. */
  get path(): string | undefined {
    return this.#path
  }

  handle(event: Event): void {
    if (event.type === 'run' && !event.dryRun) {
      mkdirSync(this.#directory, { recursive: true, mode: 0o750 })
      const stamp = event.time.replace(/[-:]/g, '').replace(/\.\d+/, '')
      this.#path = join(this.#directory, `${event.command.replaceAll(' ', '-')}-${stamp}.log`)
    }
    // The result may carry a token (the join line), and progress says nothing afterwards.
    if (this.#path === undefined || event.type === 'result' || event.type === 'progress') return
    appendFileSync(this.#path, `${JSON.stringify(event)}\n`, { mode: 0o600 })
  }

  async close(): Promise<void> {}
}
