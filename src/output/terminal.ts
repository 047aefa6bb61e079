import { Listr, ListrLogger, ProcessOutput } from 'listr2'
import type { Event } from './events.ts'
import type { Renderer } from './renderer.ts'
import { duration, errorLines, progressText } from './text.ts'

/** Milliseconds without a row after which a phase in the background gets one. */
const IDLE = 300

interface Row {
  readonly phase: string
  readonly finish: (failure?: string, note?: string) => void
  readonly show: (text: string) => void
  readonly drawn: Promise<void>
}

/**
 * A live list: one row per phase, with the last line of what it does under it. A row is drawn when its phase starts;
 * a phase that runs beside others gets its row when it is waited for or ends, so that only one row moves at a time.
 */
export class TerminalRenderer implements Renderer {
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  #row: Row | undefined
  /** The plan is what a dry run is for. */
  #isPlan = false
  /** The error that ends the run has come. */
  #hasFailed = false
  /** Phases that run beside others, with their titles. */
  readonly #background = new Map<string, string>()
  #idle: NodeJS.Timeout | undefined
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
        if (this.#hasFailed) break
        if (this.#row === undefined) this.#open(event.task, event.task)
        this.#row?.show(progressText(event))
        if (this.#row?.phase === event.task && event.total > 0 && event.done >= event.total) this.#close()
        break
      case 'output':
        if (this.#hasFailed) break
        if (this.#row !== undefined) this.#row.show(event.text)
        else this.#write(this.#stderr, event.text)
        break
      case 'warning':
        this.#write(this.#stderr, `! ${event.text}`)
        break
      case 'error':
        // What was under way did not come to its end; what still reports is being stopped.
        this.#hasFailed = true
        this.#background.clear()
        this.#close(event.message)
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
    this.#background.clear()
    this.#close()
    await this.#queue
  }

  #phase(event: Event & { type: 'phase' }): void {
    if (event.background === true) this.#trackBackground(event)
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
      const note = time === '' ? '' : ` (${time})`
      this.#write(this.#stderr, `${event.state === 'failed' ? '✖' : '✔'} ${event.title}${note}`)
      return
    }
    this.#close(event.state === 'failed' ? (event.reason ?? 'failed') : undefined, time)
  }

  #open(phase: string, title: string): void {
    this.#close(undefined, this.#background.has(this.#row?.phase ?? '') ? 'goes on' : undefined)
    clearTimeout(this.#idle)
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
        const options = {
          collapseErrors: false,
          // Why it failed is said once, by the error that ends the run.
          showErrorMessage: false,
          logger: new ListrLogger({ processOutput: new ProcessOutput(this.#stderr, this.#stderr) }),
        }
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
            // listr2 looks whether standard output is a terminal; the list goes to standard error.
            fallbackRenderer: 'default',
            rendererOptions: options,
            fallbackRendererOptions: options,
          },
        )
        await list.run()
      }),
    }
    this.#row = row
    this.#queue = row.drawn
  }

  #close(failure?: string, note?: string): void {
    clearTimeout(this.#idle)
    this.#row?.finish(failure, note)
    this.#row = undefined
    if (this.#background.size > 0) this.#idle = setTimeout(() => this.#showBackground(), IDLE)
  }

  #trackBackground({ phase, title, state }: Event & { type: 'phase' }): void {
    if (state === 'started') this.#background.set(phase, title)
    else this.#background.delete(phase)
  }

  /** Nothing else goes on: the run waits for what was begun beside it. */
  #showBackground(): void {
    const [first] = this.#background
    if (this.#row === undefined && first !== undefined) this.#open(...first)
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    // While a row is live its list owns the terminal; texts wait for its end, except that a warning must not get lost.
    this.#queue = this.#queue.then(() => {
      stream.write(`${text}\n`)
    })
  }
}
