/** A connection of ssh2: each command has a channel of its own on it. */

import type { Client, ClientChannel } from 'ssh2'
import { Connection, collector, type ExecOptions, type ExecResult, shellLine, TIMEOUT } from './connection.ts'
import { ConnectionLost } from './errors.ts'

export class BuiltInConnection extends Connection {
  readonly #client: Client
  /** Commands that run or begin, and who waits for the end of one. */
  #running = 0
  #ended = 0
  readonly #waiting: (() => void)[] = []
  #lost: Error | undefined

  constructor(client: Client) {
    super()
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

  override get isLost(): boolean {
    return this.#lost !== undefined
  }

  override close(): void {
    this.#client.end()
  }

  protected override async exec(
    words: readonly string[],
    options: ExecOptions,
    secret?: string,
  ): Promise<ExecResult> {
    const { signal, timeout = TIMEOUT, stdin, onLine } = options
    signal?.throwIfAborted()
    const { channel, closed } = await this.#openWhenFree(shellLine(words))
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
      const ended = this.#ended
      try {
        return await this.#open(command)
      } catch (error) {
        this.#free()
        const othersEnded = this.#ended - ended > 1
        if (this.#lost !== undefined || (this.#running === 0 && !othersEnded)) throw error
        if (!othersEnded) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    }
  }

  readonly #free = (): void => {
    this.#running -= 1
    this.#ended += 1
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
