/** The one HTTPS client: for API servers, CloudCore, MetaServer, etcd, and hosts that give each other files. */

import type { IncomingHttpHeaders } from 'node:http'
import { getCACertificates } from 'node:tls'
import type { PlainResponse } from 'got'
import { VERSION } from '../version.ts'

export interface Question {
  /** `https://host:port/path`; plain HTTP is for MetaServer on loopback. */
  readonly url: string
  /**
   * PEM to verify the server against, or `system` for this machine's own store. Undefined: any server is talked to; only for
   * what the caller checks in another way, such as a CA whose hash is known.
   */
  readonly caPem: string | 'system' | undefined
  /** The client's own certificate and key, PEM. The key is secret. */
  readonly client?: { readonly cert: string; readonly key: string }
  /** Secret. */
  readonly bearerToken?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Default GET. */
  readonly method?: 'GET' | 'POST'
  /** Sent even with GET, which KubeEdge's certificate request wants. */
  readonly body?: Uint8Array
  readonly signal: AbortSignal
  /** Milliseconds for the whole exchange; default 10 s. */
  readonly timeout?: number
  /** Bytes of the answer's body; default 4 MiB. A longer one is refused. */
  readonly maximum?: number
  /** Takes the body of an answer 200 or 206 as it comes, however long it is; then it is not kept. */
  readonly onChunk?: (chunk: Buffer) => Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** The same as text. */
  readonly body: string
}

/** Why there is no answer. `code` is Node's, `ETIMEDOUT` if the time was over. */
export class NoAnswer extends Error {
  readonly code: string

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'NoAnswer'
    this.code = code
  }
}

const TIMEOUT = 10_000
/** Milliseconds without a byte, where a body may be long. */
const SILENCE = 30_000
/** Certificates, ConfigMaps and lists of members are some kilobytes. */
const MAXIMUM = 4 * 1024 * 1024

/**
 * One exchange: no retry, no redirect, no proxy, no connection that is kept. Every HTTP status is an answer.
 * @throws NoAnswer; the signal's reason if that ended it
 */
export async function ask(question: Question): Promise<Answer> {
  const { url, signal, body, bearerToken, client, caPem, onChunk } = question
  const { timeout = TIMEOUT, maximum = MAXIMUM } = question
  signal.throwIfAborted()
  // Loaded with the first question: commands that ask nobody have to start fast.
  const { default: got } = await import('got')
  const request = got.stream(url, {
    method: question.method ?? 'GET',
    headers: {
      'user-agent': `edgeadm/${VERSION}`,
      // CloudCore sends no JSON, and answers 406 to who takes nothing else.
      accept: 'application/json, */*;q=0.8',
      ...question.headers,
      ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
    },
    ...(body === undefined ? {} : { body, allowGetBody: true }),
    https: {
      rejectUnauthorized: caPem !== undefined,
      ...(caPem === undefined
        ? {}
        : { certificateAuthority: caPem === 'system' ? getCACertificates('system') : caPem }),
      ...(client === undefined ? {} : { certificate: client.cert, key: client.key }),
    },
    // Not Node's shared one, which may keep connections and listen to the environment for a proxy.
    agent: { http: false, https: false },
    timeout: onChunk === undefined ? { request: timeout } : { response: timeout, socket: SILENCE },
    signal,
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
  })
  let response: PlainResponse | undefined
  request.once('response', (first: PlainResponse) => {
    response = first
  })
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (onChunk !== undefined && (response?.statusCode === 200 || response?.statusCode === 206)) {
        await onChunk(chunk)
        continue
      }
      size += chunk.length
      // Leaving the loop ends the connection.
      if (size > maximum)
        throw new NoAnswer('EMSGSIZE', `the answer has more than ${maximum} bytes`, undefined)
      chunks.push(chunk)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof NoAnswer ? error : noAnswer(error, timeout)
  }
  if (response === undefined)
    throw new NoAnswer('ECONNRESET', 'the connection ended without an answer', undefined)
  const bytes = Buffer.concat(chunks)
  return { status: response.statusCode, headers: response.headers, bytes, body: bytes.toString('utf8') }
}

function noAnswer(error: unknown, timeout: number): NoAnswer {
  const { code = '', message } = error as NodeJS.ErrnoException
  return code === 'ETIMEDOUT'
    ? new NoAnswer(code, `no answer within ${timeout / 1000} s`, error)
    : new NoAnswer(code, message, error)
}
