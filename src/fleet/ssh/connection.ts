/** One connection to one host. Commands run one beside the other on it, each in a channel of its own. */

import type { Readable } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { EdgeadmError } from '../../output/errors.ts'
import { ConnectionLost } from './errors.ts'

export interface ExecOptions {
  readonly stdin?: string | Buffer | Readable
  /** Called for each line of standard output as it comes; then it is not kept. */
  readonly onLine?: (line: string) => void
  /** Milliseconds; default 60 s. 0: for ever. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** How commands become root's. */
export type Elevation =
  | { readonly kind: 'none' }
  | { readonly kind: 'sudo' }
  | { readonly kind: 'sudo-password'; readonly password: string }

/** Characters. What a program writes beyond it is dropped, the oldest first. */
const KEPT = 1 << 20
const TIMEOUT = 60_000

export class Connection {
  readonly #client: Client
  /** Commands that run or begin, and who waits for the end of one. */
  #running = 0
  readonly #waiting: (() => void)[] = []
  #lost: Error | undefined
  #elevation: Elevation = { kind: 'none' }

  constructor(client: Client) {
    this.#client = client
    // Each command that is being opened listens for the end.
    client.setMaxListeners(0)
    // Without a listener an error of the socket ends the whole process.
    client.on('error', (error) => {
      this.#lost ??= error
    })
    client.on('close', () => {
      this.#lost ??= new Error('the connection was closed')
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  get elevation(): Elevation {
    return this.#elevation
  }

  set elevation(elevation: Elevation) {
    this.#elevation = elevation
  }

  /** Runs a shell script as the login user, with arguments as `$1` and so on. Resolves with any exit code. */
  async run(script: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    return this.#exec(shellLine(['sh', '-c', script, 'edgeadm', ...args]), options)
  }

  /** The same as root. */
  async runAsRoot(
    script: string,
    args: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<ExecResult> {
    const command = ['sh', '-c', script, 'edgeadm', ...args]
    const elevation = this.#elevation
    if (elevation.kind === 'none') return this.#exec(shellLine(command), options)
    if (elevation.kind === 'sudo') return this.#exec(shellLine(['sudo', '-n', '--', ...command]), options)
    // -k: sudo asks in any case, so the first line is always the password, and never the command's input.
    return this.#exec(
      shellLine(['sudo', '-k', '-S', '-p', '', '--', ...command]),
      options,
      elevation.password,
    )
  }

  /** @throws EdgeadmError class `phase` unless it exits with 0 */
  async check(what: string, result: Promise<ExecResult>): Promise<string> {
    const { exitCode, stdout, stderr } = await result
    if (exitCode === 0) return stdout
    const lines = stderr.trim().split('\n')
    throw new EdgeadmError('phase', `${what}: ${lines.at(-1) || `exit code ${exitCode}`}`, {
      details: lines.slice(0, -1),
    })
  }

  close(): void {
    this.#client.end()
  }

  async #exec(command: string, options: ExecOptions, secret?: string): Promise<ExecResult> {
    const { signal, timeout = TIMEOUT, stdin, onLine } = options
    signal?.throwIfAborted()
    const { channel, closed } = await this.#openWhenFree(command)
    void closed.then(this.#free)
    const out = collector(onLine)
    const err = collector(undefined)
    channel.setEncoding('utf8')
    channel.stderr.setEncoding('utf8')
    channel.on('data', out.take)
    channel.stderr.on('data', err.take)
    // sshd ends a command's program only if it is told to; a channel that is closed does not.
    const stop = (why: unknown, reject: (why: unknown) => void) => {
      channel.signal('TERM')
      channel.close()
      reject(why)
    }
    let timer: NodeJS.Timeout | undefined
    let onAbort = () => {}
    try {
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        void closed.then(resolve)
        // What cannot be written is not read by the command; its exit code says why.
        channel.on('error', () => {})
        const late = new ConnectionLost(`a command did not end within ${timeout / 1000} s`)
        if (timeout > 0) timer = setTimeout(() => stop(late, reject), timeout)
        onAbort = () => stop(signal?.reason, reject)
        signal?.addEventListener('abort', onAbort, { once: true })
        if (secret !== undefined) channel.write(`${secret}\n`)
        if (stdin === undefined || typeof stdin === 'string' || Buffer.isBuffer(stdin)) channel.end(stdin)
        else stdin.once('error', reject).pipe(channel)
      })
      if (exitCode === null)
        throw new ConnectionLost(this.#lost?.message ?? 'the connection broke while a command ran')
      return { exitCode, stdout: out.end(), stderr: err.end() }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** sshd lets so many commands run at once (MaxSessions), and refuses the next one: it waits for the end of another. */
  async #openWhenFree(command: string): Promise<Opened> {
    for (;;) {
      this.#running += 1
      try {
        return await this.#open(command)
      } catch (error) {
        this.#free()
        if (this.#lost !== undefined || this.#running === 0) throw error
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    }
  }

  readonly #free = (): void => {
    this.#running -= 1
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #open(command: string): Promise<Opened> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(new ConnectionLost(this.#lost.message))
      const gone = () => reject(new ConnectionLost(this.#lost?.message ?? 'the connection was closed'))
      this.#client.once('close', gone)
      const done = (error: Error | undefined, channel: ClientChannel) => {
        this.#client.off('close', gone)
        if (error) reject(new ConnectionLost(error.message))
        else resolve({ channel, closed: exitOf(channel) })
      }
      try {
        this.#client.exec(command, done)
      } catch (error) {
        this.#client.off('close', gone)
        reject(new ConnectionLost((error as Error).message))
      }
    })
  }
}

interface Opened {
  readonly channel: ClientChannel
  /** The exit code once all is over; null if none came. */
  readonly closed: Promise<number | null>
}

/** To be called at once: what a short command says may all have come with the packet that says it was begun. */
function exitOf(channel: ClientChannel): Promise<number | null> {
  return new Promise((resolve) => {
    let code: number | null = null
    channel.on('exit', (given: number | null, name?: string) => {
      code = given ?? (name === undefined ? null : 128)
    })
    channel.on('close', () => resolve(code))
  })
}

/** What a host writes is shown to people: on their terminal control characters would act. Tabs and ends of lines stay. */
export function withoutControls(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}

/** Keeps the end of a text, or hands on its lines. A line without an end does not fill the memory. */
function collector(onLine: ((line: string) => void) | undefined): {
  take(chunk: string): void
  end(): string
} {
  let kept = ''
  return {
    take(chunk) {
      kept += withoutControls(chunk)
      if (onLine === undefined) {
        kept = kept.slice(-KEPT)
        return
      }
      const lines = kept.split('\n')
      kept = (lines.pop() ?? '').slice(-KEPT)
      lines.forEach(onLine)
    },
    end() {
      if (onLine !== undefined && kept !== '') onLine(kept)
      return onLine === undefined ? kept : ''
    },
  }
}

/** One command line for the login shell, whichever it is: single quotes mean the same in all. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
}
