import { Listr, ListrLogger, ProcessOutput } from 'listr2'
import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'
import { duration, errorLines, progressText } from './text.ts'

interface Row {
  readonly phase: string
  readonly finish: (failure?: string, note?: string) => void
  readonly show: (text: string) => void
  readonly drawn: Promise<void>
}

/**
 * A live list: one row per phase, with the last line of what it does under it. A row is drawn when its phase starts;
 * a phase that runs beside others gets its row when it ends, so that only one row moves at a time.
 */
export class TerminalRenderer implements Renderer {
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  #row: Row | undefined
  /** The plan is what a dry run is for. */
  #isPlan = false
  /** Rows and texts are written strictly one after the other. */
  #queue: Promise<void> = Promise.resolve()

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout
    this.#stderr = stderr
  }

  handle(event: Event): void {
    switch (event.type) {
      case 'phase':
        this.#phase(event)
        break
      case 'progress':
        if (this.#row === undefined) this.#open(event.task, event.task)
        this.#row?.show(progressText(event))
        if (this.#row?.phase === event.task && event.total > 0 && event.done >= event.total) this.#close()
        break
      case 'output':
        if (this.#row !== undefined) this.#row.show(event.text)
        else this.#write(this.#stderr, event.text)
        break
      case 'warning':
        this.#write(this.#stderr, `! ${event.text}`)
        break
      case 'error':
        this.#close()
        for (const line of errorLines(event)) this.#write(this.#stderr, line)
        break
      case 'result':
        this.#close()
        if (event.text !== '') this.#write(this.#stdout, event.text)
        break
      case 'change':
        if (event.diff !== undefined || this.#isPlan)
          this.#write(this.#stderr, [`${event.action} ${event.target}`, event.diff ?? []].flat().join('\n'))
        break
      case 'run':
        this.#isPlan = event.dryRun
        break
    }
  }

  async close(): Promise<void> {
    this.#close()
    await this.#queue
  }

  #phase(event: Event & { type: 'phase' }): void {
    if (event.state === 'started') {
      if (event.background !== true) this.#open(event.phase, event.title)
      return
    }
    const time = duration(event.ms ?? 0)
    if (event.state === 'skipped') {
      if (this.#row?.phase === event.phase) this.#close()
      return
    }
    if (this.#row?.phase !== event.phase) {
      this.#write(this.#stderr, `${event.state === 'failed' ? '✖' : '✔'} ${event.title} ${time}`)
      return
    }
    this.#close(event.state === 'failed' ? (event.reason ?? 'failed') : undefined, time)
  }

  #open(phase: string, title: string): void {
    this.#close()
    let finish: Row['finish'] = () => {}
    let show: Row['show'] = () => {}
    let lastText: string | undefined
    const ended = new Promise<{ failure?: string; note?: string }>((resolve) => {
      finish = (failure, note) =>
        resolve({ ...(failure === undefined ? {} : { failure }), ...(note ? { note } : {}) })
    })
    show = (text) => {
      lastText = text
    }
    const row: Row = {
      phase,
      finish: (failure, note) => finish(failure, note),
      show: (text) => show(text),
      drawn: this.#queue.then(async () => {
        const list = new Listr(
          [
            {
              title,
              task: async (_, task) => {
                if (lastText !== undefined) task.output = lastText
                show = (text) => {
                  task.output = text
                }
                const { failure, note } = await ended
                if (note !== undefined) task.title = `${title} (${note})`
                if (failure !== undefined) throw new Error(failure)
              },
            },
          ],
          {
            concurrent: false,
            exitOnError: false,
            registerSignalListeners: false,
            rendererOptions: {
              collapseErrors: false,
              logger: new ListrLogger({ processOutput: new ProcessOutput(this.#stderr, this.#stderr) }),
            },
          },
        )
        await list.run()
      }),
    }
    this.#row = row
    this.#queue = row.drawn
  }

  #close(failure?: string, note?: string): void {
    this.#row?.finish(failure, note)
    this.#row = undefined
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    // While a row is live its list owns the terminal; texts wait for its end, except that a warning must not get lost.
    this.#queue = this.#queue.then(() => {
      stream.write(`${text}\n`)
    })
  }
}
