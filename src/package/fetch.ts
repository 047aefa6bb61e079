import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import type { RequestError } from 'got'
import pRetry, { AbortError } from 'p-retry'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { progressSteps } from './progress.ts'

export interface FetchOptions extends Reporting {
  /** Lower-case hex; the file is refused if it has another. */
  readonly sha256?: string
  /** What the progress is called; default: the URL. */
  readonly task?: string
  /** Attempts after the first one, each going on where the last one stopped; default 5. */
  readonly retries?: number
  /** Added to the request. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Downloads to `dest`. An interrupted download is kept beside it (`dest.part`) and gone on with, in this call or the
 * next, as long as the server still has the same file (ETag or Last-Modified with If-Range).
 * @throws EdgeadmError class `package`: the server does not answer or has no such file, or the sha256 is another
 */
export async function fetchPackage(url: string, dest: string, options: FetchOptions): Promise<void> {
  const { signal, sha256 } = options
  if (sha256 !== undefined && (await sha256Of(dest)) === sha256) return
  await mkdir(dirname(dest), { recursive: true })
  try {
    await pRetry(() => attempt(url, `${dest}.part`, options), {
      retries: options.retries ?? 5,
      minTimeout: 200,
      maxTimeout: 5000,
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw new EdgeadmError('package', `${url} cannot be downloaded: ${messageOf(error)}`, {
      fix: 'check the address and the way to it; the part that is there is kept, and the next attempt goes on from it',
    })
  }
  if (sha256 !== undefined) {
    const actual = await sha256Of(`${dest}.part`)
    if (actual !== sha256) {
      await rm(`${dest}.part`, { force: true })
      await rm(`${dest}.part.id`, { force: true })
      throw new EdgeadmError('package', `${url} has the sha256 ${actual} instead of ${sha256}`, {
        fix: 'check where the address and the sha256 come from; what was downloaded is removed',
      })
    }
  }
  await rename(`${dest}.part`, dest)
  await rm(`${dest}.part.id`, { force: true })
}

/** One request; appends to the part if the server agrees that it is the same file. */
async function attempt(
  url: string,
  part: string,
  { emit, signal, task = url, headers }: FetchOptions,
): Promise<void> {
  // Loaded only when something is fetched: unpacking has to stay small.
  const { default: got } = await import('got')
  const identity = await readFile(`${part}.id`, 'utf8').catch(() => undefined)
  const have = identity === undefined ? 0 : ((await stat(part).catch(() => undefined))?.size ?? 0)
  const range = have > 0 && identity ? { range: `bytes=${have}-`, 'if-range': identity } : {}
  const request = got.stream(url, {
    signal,
    retry: { limit: 0 },
    timeout: { lookup: 5000, connect: 10_000, response: 30_000, socket: 30_000 },
    headers: { ...headers, ...range, 'accept-encoding': 'identity' },
    decompress: false,
    throwHttpErrors: false,
  })
  const response = await new Promise<{
    statusCode: number
    headers: Record<string, string | string[] | undefined>
  }>((resolve, reject) => request.once('response', resolve).once('error', reject)).catch(
    (error: RequestError) => {
      throw signal.aborted ? new AbortError(error) : error
    },
  )
  const { statusCode } = response
  if (statusCode === 416 && have > 0) {
    request.destroy()
    // The part is not a beginning of what is there now.
    await rm(`${part}.id`, { force: true })
    throw new Error('the server has another file than before')
  }
  if (statusCode !== 200 && statusCode !== 206) {
    request.destroy()
    const error = new Error(`the server answers ${statusCode}`)
    throw statusCode >= 500 || statusCode === 429 ? error : new AbortError(error)
  }
  const start = statusCode === 206 ? have : 0
  const length = response.headers['content-length']
  const total = length === undefined ? 0 : start + Number(length)
  const etag = response.headers.etag
  const strong = typeof etag === 'string' && !etag.startsWith('W/') ? etag : response.headers['last-modified']
  // Written as it comes: a stream that fails drops what it still holds, and with it what need not be asked for again.
  const file = openSync(part, start > 0 ? 'a' : 'w')
  // After the truncation: an identity must never stand beside bytes of another file.
  if (typeof strong === 'string') writeFileSync(`${part}.id`, strong)
  else rmSync(`${part}.id`, { force: true })
  const progress = progressSteps(emit, task, total, 'bytes')
  let done = start
  request.on('data', (chunk: Buffer) => {
    writeSync(file, chunk)
    done += chunk.length
    progress(done)
  })
  try {
    await finished(request)
  } finally {
    closeSync(file)
  }
  if (total > 0 && done !== total) throw new Error(`the connection ended after ${done} of ${total} bytes`)
}

/** Hex sha256 of a file, undefined if there is none. */
export async function sha256Of(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}
