import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'

/** One JSON document per line on stdout: every event as it is. */
export class JsonRenderer implements Renderer {
  readonly #stdout: NodeJS.WritableStream

  constructor(stdout: NodeJS.WritableStream) {
    this.#stdout = stdout
  }

  handle(event: Event): void {
    this.#stdout.write(`${JSON.stringify(event)}\n`)
  }

  async close(): Promise<void> {}
}
