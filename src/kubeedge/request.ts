import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'

export interface EdgeRequest {
  readonly url: string
  /** PEM to verify the server against. Undefined: not verified; for what is checked otherwise, and for plain HTTP. */
  readonly caPem?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Sent even with GET, which KubeEdge's certificate request wants. */
  readonly body?: Uint8Array
  readonly signal: AbortSignal
  /** Milliseconds for the whole exchange; default 10 s. */
  readonly timeout?: number
}

export interface EdgeResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** CA certificates, certificates and lists of some hundred objects are far smaller. */
const MAXIMUM_BYTES = 64 * 1024 * 1024

/** One GET. Rejects with Node's own error: its `code` tells why there is no answer. */
export function edgeGet(options: EdgeRequest): Promise<EdgeResponse> {
  const limit = AbortSignal.timeout(options.timeout ?? 10_000)
  const { url, caPem, headers, body } = options
  const details: RequestOptions = {
    agent: false,
    method: 'GET',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) },
    signal: AbortSignal.any([options.signal, limit]),
    rejectUnauthorized: caPem !== undefined,
    ...(caPem === undefined ? {} : { ca: caPem }),
  }
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(limit.aborted ? timedOut(error) : error)
    const outgoing = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, details, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAXIMUM_BYTES) response.destroy(new Error('the answer is too big'))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      )
    })
    outgoing.on('error', fail)
    outgoing.end(body)
  })
}

function timedOut(cause: Error): Error {
  return Object.assign(new Error('no answer in time', { cause }), { code: 'ETIMEDOUT' })
}
