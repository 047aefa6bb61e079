import { Command, Flags, type Interfaces } from '@oclif/core'
import { type FlagShape, normalizeGoFlags } from '../go-flags.ts'
import { EdgeadmError, EXIT_CODES } from '../output/errors.ts'
import { EVENT_SCHEMA, type EventBody, type Reporting } from '../output/events.ts'
import { LOG_DIRECTORY, LogFile } from '../output/log-file.ts'
import { createRenderer, type Renderer } from '../output/renderer.ts'
import { asEdgeadmError } from './usage-errors.ts'

/** The flags that every command has, beside its own. */
export interface GlobalFlags {
  readonly output: 'text' | 'json'
  readonly v: number
}

/** Commands that would leave the machine half changed if they ended with the terminal. */
const CHANGES_MACHINE = new Set(['init', 'join', 'replace', 'reset', 'certs', 'restore', 'upgrade'])

/**
 * What every command shares: global flags, Go-style booleans, events and their renderers, signals, exit codes.
 * A command is thin: it reads its flags, calls into src/, and emits one `result` event.
 */
export abstract class BaseCommand extends Command {
  static override baseFlags: Interfaces.FlagInput<GlobalFlags> = {
    output: Flags.string({
      char: 'o',
      options: ['text', 'json'],
      default: 'text',
      description: 'Output format: text, or json with one event per line (default text)',
      helpGroup: 'GLOBAL',
    }) as Interfaces.OptionFlag<'text' | 'json'>,
    v: Flags.integer({
      char: 'v',
      default: 0,
      description: 'Log level verbosity: 1 shows every change and the output of sub-processes (default 0)',
      helpGroup: 'GLOBAL',
    }) as Interfaces.OptionFlag<number>,
  }

  #renderers: Renderer[] = []
  readonly #abort = new AbortController()
  readonly #logFile = new LogFile(LOG_DIRECTORY, (text) => this.#emit({ type: 'warning', text }))

  /** Where work reports to and when it has to stop; hand it to everything that takes longer than a moment. */
  protected readonly reporting: Reporting = {
    emit: (event) => this.#emit(event),
    signal: this.#abort.signal,
  }

  protected override async init(): Promise<void> {
    await super.init()
    const { baseFlags, flags } = this.ctor as typeof BaseCommand
    this.argv = normalizeGoFlags(this.argv, { ...baseFlags, ...flags } as unknown as Record<
      string,
      FlagShape
    >)
    this.#renderers = [await createRenderer(globalFlagsOf(this.argv)), this.#logFile]
    process.once('SIGINT', this.#interrupted)
    process.once('SIGTERM', () => this.#stop('terminated', 'terminated by SIGTERM'))
    // The terminal is gone, as when an SSH connection breaks. A run that changes this machine goes on; its log has the rest.
    if (CHANGES_MACHINE.has(this.id?.split(':')[0] ?? '')) process.on('SIGHUP', () => {})
  }

  readonly #interrupted = (): void => this.#stop('interrupted', 'interrupted by Ctrl-C')

  /** From now on Ctrl-C is another program's, which the terminal sends it to as well. Listeners of libraries stay. */
  protected leaveInterrupts(): void {
    process.off('SIGINT', this.#interrupted).on('SIGINT', () => {})
  }

  /** From now on Ctrl-C is the command's to deal with. @param onInterrupt told how many there have been */
  protected handleInterrupts(onInterrupt: (count: number) => void): void {
    let count = 0
    process.off('SIGINT', this.#interrupted).on('SIGINT', () => {
      count += 1
      onInterrupt(count)
    })
  }

  /** Asks a yes/no question on the terminal; without one the answer is no. */
  protected async confirm(message: string): Promise<boolean> {
    if (!process.stdin.isTTY) return false
    const { confirm } = await import('@inquirer/prompts')
    return confirm({ message, default: false }, { signal: this.#abort.signal })
  }

  /** What a command prints when it is done: text for people, data for programs. */
  protected result(text: string, data: unknown): void {
    this.reporting.emit({ type: 'result', text, data })
  }

  protected override async catch(thrown: Error & { exitCode?: number }): Promise<void> {
    // oclif leaves through an error too, for --help and --version.
    if ('oclif' in thrown && (thrown as { code?: string }).code === 'EEXIT') throw thrown
    const reason: unknown = this.#abort.signal.aborted ? this.#abort.signal.reason : thrown
    const error = asEdgeadmError(reason, this.ctor)
    if (this.#renderers.length === 0) this.#renderers = [await createRenderer(globalFlagsOf(this.argv))]
    this.#emit({
      type: 'error',
      class: error.class,
      message: error.message,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      details:
        this.#logFile.path === undefined ? error.details : [...error.details, `log: ${this.#logFile.path}`],
    })
    if (error.class === 'internal' && process.env.EDGEADM_DEBUG) console.error(thrown)
    process.exitCode = error.exitCode
  }

  protected override async finally(): Promise<void> {
    for (const renderer of this.#renderers) await renderer.close()
  }

  #emit(body: EventBody): void {
    const event = { schema: EVENT_SCHEMA, time: new Date().toISOString(), ...body }
    for (const renderer of this.#renderers) renderer.handle(event)
  }

  #stop(errorClass: 'interrupted' | 'terminated', message: string): void {
    const command = this.id?.split(':')[0] ?? ''
    const fix = this.#afterStop(command)
    this.#abort.abort(new EdgeadmError(errorClass, message, fix === undefined ? {} : { fix }))
    // A second signal means "now": whatever was recorded stays on disk for the next run.
    const signal = errorClass === 'interrupted' ? 'SIGINT' : 'SIGTERM'
    process.once(signal, () => process.exit(EXIT_CODES[errorClass]))
  }

  /** How to go on or back. The log file begins with the first change. */
  #afterStop(command: string): string | undefined {
    if (command === 'reset') return 'run `edgeadm reset` again to go on'
    if (command !== 'init' && command !== 'join') return undefined
    return this.#logFile.path === undefined
      ? 'nothing was changed yet; run the same command again when you like'
      : 'run the same command again to go on where it stopped, or `edgeadm reset` to go back'
  }
}

/** The global flags before parsing: a parse error has to be rendered in the format that was asked for. */
function globalFlagsOf(argv: readonly string[]): { output: 'text' | 'json'; verbosity: number } {
  let output: 'text' | 'json' = 'text'
  let verbosity = 0
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  argv.slice(0, end).forEach((token, index) => {
    const next = argv[index + 1]
    if (/^(--output|-o)=json$|^-ojson$/.test(token)) output = 'json'
    if ((token === '--output' || token === '-o') && next === 'json') output = 'json'
    const level = /^(?:--v|-v)=?(\d+)$/.exec(token)?.[1] ?? (/^(--v|-v)$/.test(token) ? next : undefined)
    if (level !== undefined && /^\d+$/.test(level)) verbosity = Number(level)
  })
  return { output, verbosity }
}
