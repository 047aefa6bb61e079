import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'
import { duration, errorLines, progressText } from './text.ts'

/** Milliseconds between two progress lines of one task: a log that grows, but not by thousands of lines. */
const PROGRESS_INTERVAL = 5000

/**
 * Lines for logs and pipes, in kubeadm's shape ("[phase] text"). The result goes to stdout, everything else to stderr.
 */
export class PlainRenderer implements Renderer {
  readonly #stdout: NodeJS.WritableStream
  readonly #stderr: NodeJS.WritableStream
  readonly #verbosity: number
  /** Then the changes are the plan that was asked for. */
  #dryRun = false
  readonly #lastProgress = new Map<string, number>()

  constructor(stdout: NodeJS.WritableStream, stderr: NodeJS.WritableStream, verbosity: number) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.#verbosity = verbosity
  }

  handle(event: Event): void {
    if (event.type === 'result') this.#stdout.write(event.text === '' ? '' : `${event.text}\n`)
    else for (const line of this.#lines(event)) this.#stderr.write(`${line}\n`)
  }

  async close(): Promise<void> {}

  #lines(event: Exclude<Event, { type: 'result' }>): string[] {
    switch (event.type) {
      case 'run':
        this.#dryRun = event.dryRun
        return event.dryRun ? [`[dryrun] ${event.command} on ${event.node}: nothing will be changed`] : []
      case 'phase':
        return this.#phaseLines(event)
      case 'change':
        return this.#changeLines(event)
      case 'progress':
        return this.#isDue(event) ? [`[progress] ${progressText(event)}`] : []
      case 'output':
        return [event.text]
      case 'warning':
        return [`W ${event.text}`]
      case 'error':
        return errorLines(event)
    }
  }

  #phaseLines(event: Event & { type: 'phase' }): string[] {
    const label = `[${event.phase}]`
    if (event.state === 'started') return [`${label} ${event.title}`]
    if (event.state === 'skipped') return [`${label} skipped: ${event.reason ?? 'not wanted'}`]
    // What failed is said once, by the error that ends the run.
    if (event.state === 'failed') return [`${label} failed`]
    const time = duration(event.ms ?? 0)
    return time === '' ? [] : [`${label} done in ${time}`]
  }

  #changeLines(event: Event & { type: 'change' }): string[] {
    if (event.diff === undefined && this.#verbosity === 0 && !this.#dryRun) return []
    const head = `[${event.phase}] ${event.action} ${event.target}`
    return event.diff === undefined ? [head] : [head, ...event.diff.trimEnd().split('\n')]
  }

  #isDue(event: Event & { type: 'progress' }): boolean {
    const now = Date.now()
    if (now - (this.#lastProgress.get(event.task) ?? 0) < PROGRESS_INTERVAL) return false
    this.#lastProgress.set(event.task, now)
    return true
  }
}
