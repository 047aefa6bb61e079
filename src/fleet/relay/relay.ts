/** A host that gives files to the other hosts of its site, as the controller sees it: a command that runs there. */

import { randomBytes } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import { PassThrough } from 'node:stream'
import { messageOf } from '../../output/errors.ts'
import { parseEvent } from '../host-run.ts'
import { EXECUTABLE } from '../paths.ts'
import type { Connection } from '../ssh/connection.ts'
import type { Served } from './file-server.ts'

/** What one receiver is told, over SSH. */
export interface Ticket {
  readonly url: string
  readonly caPem: string
  /** Secret. */
  readonly token: string
}

export interface RelayOptions {
  readonly connection: Connection
  readonly host: string
  /** IP address of the host, in the site. */
  readonly address: string
  /** Files that the host has. */
  readonly paths: readonly string[]
  readonly signal: AbortSignal
}

/** Milliseconds until it listens: a slow machine starts slowly. */
const START = 60_000
const PEM = /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/

export class Relay {
  readonly paths: ReadonlySet<string>
  /** Receivers that it gives something to now. */
  active = 0
  readonly #url: string
  readonly #caPem: string
  readonly #input: PassThrough
  readonly #ended: Promise<void>
  #isOver = false

  /** @throws Error if it does not start */
  static async start(options: RelayOptions): Promise<Relay> {
    const { connection, host, address, paths, signal } = options
    const input = new PassThrough()
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const onLine = (line: string): void => {
      const event = parseEvent(line)
      if (event?.type === 'result') resolve(event.data)
      if (event?.type === 'error') reject(new Error(event.message))
    }
    const ended = connection
      .runAsRoot(`exec ${EXECUTABLE} package serve --output=json "$@"`, [`--address=${address}`, ...paths], {
        stdin: input,
        timeout: 0,
        signal,
        onLine,
      })
      .then(({ exitCode }) => reject(new Error(`it ended with exit code ${exitCode}`)), reject)
    const late = setTimeout(() => reject(new Error(`it does not listen within ${START / 1000} s`)), START)
    try {
      return new Relay(options, checked(await promise), input, ended)
    } catch (error) {
      input.end()
      throw new Error(`${host} does not serve its site: ${messageOf(error)}`, { cause: error })
    } finally {
      clearTimeout(late)
    }
  }

  private constructor(
    { address, paths }: RelayOptions,
    { port, caPem }: Served,
    input: PassThrough,
    ended: Promise<void>,
  ) {
    this.paths = new Set(paths)
    this.#url = `https://${isIPv6(address) ? `[${address}]` : address}:${port}/`
    this.#caPem = caPem
    this.#input = input
    this.#ended = ended.then(() => {
      this.#isOver = true
    })
  }

  /** Whether it serves no more: its host is gone, or nobody asked for long. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** For one receiver. @param path one of the relay's */
  ticket(path: string): Ticket {
    const token = randomBytes(32).toString('hex')
    this.#input.write(`${token} ${path}\n`)
    return { url: this.#url, caPem: this.#caPem, token }
  }

  /** It ends with its input, and leaves nothing. */
  async stop(): Promise<void> {
    this.#input.end()
    await this.#ended
  }
}

/** A host that was taken over must not get anything but a port and a certificate to the others. */
function checked(data: unknown): Served {
  const { port, caPem } = data as Partial<Served>
  if (!Number.isInteger(port) || typeof caPem !== 'string' || !PEM.test(caPem))
    throw new Error('what it says is no port and no certificate')
  return { port: port as number, caPem }
}

export const isSiteAddress = (address: string | undefined): address is string =>
  address !== undefined && isIP(address) !== 0
