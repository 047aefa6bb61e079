import { closeSync, fsyncSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { finished } from 'node:stream/promises'
import type { RequestError } from 'got'
import pRetry, { AbortError } from 'p-retry'
import { hashFile } from '../host/file-hash.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import type { Agents } from './download/proxy.ts'
import { trustSystemAuthorities } from './download/trust.ts'
import { explain } from './download/why.ts'
import { progressSteps } from './progress.ts'
import { asWriteError } from './write-error.ts'

export interface FetchOptions extends Reporting {
  /** Lower-case hex; the file is refused if it has another. */
  readonly sha256?: string
  /** What the progress is called; default: the URL. */
  readonly task?: string
  /** Attempts after the first one, each going on where the last one stopped; default 5. */
  readonly retries?: number
  /** Added to the request. */
  readonly headers?: Readonly<Record<string, string>>
  /** The way through a proxy; undefined: none. */
  readonly agents?: Agents
  /** The proxy as it is shown in errors. */
  readonly proxy?: string
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
  // Without a sha256 the server is asked whether it still has the file that was fetched before.
  const before = sha256 === undefined ? await identityOf(dest) : undefined
  let outcome: Outcome
  try {
    outcome = await pRetry(() => attempt(url, `${dest}.part`, before, options), {
      retries: options.retries ?? 5,
      minTimeout: 200,
      maxTimeout: 5000,
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (before !== undefined && !(error instanceof RefusedError)) {
      const text = `${url} cannot be reached, so what was downloaded from there before is used: ${messageOf(error)}`
      options.emit({ type: 'warning', text })
      return
    }
    const { why, fix } = explain(error, options.proxy)
    const unwritten = asWriteError(error, `${url} cannot be kept in ${dirname(dest)}`, dirname(dest))
    if (unwritten !== error) throw unwritten
    throw new EdgeadmError('package', `${url} cannot be downloaded: ${why}`, {
      fix:
        fix ??
        'check the address and the way to it; the part that is there is kept, and the next attempt goes on from it',
      cause: error,
    })
  }
  if (outcome === 'unchanged') return
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
  // The name of the old file must never stand beside the identity of the new one.
  await rm(`${dest}.id`, { force: true })
  await rename(`${dest}.part`, dest)
  await rename(`${dest}.part.id`, `${dest}.id`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error // the server gave none
  })
}

type Outcome = 'fetched' | 'unchanged'

/** The server answered, and will not give the file. */
export class RefusedError extends Error {
  readonly status: number
  /** `WWW-Authenticate`. */
  readonly challenge: string

  constructor(status: number, challenge: string) {
    super(`the server answers ${status}`)
    this.status = status
    this.challenge = challenge
  }
}

/** ETag or Last-Modified of a file that was fetched; undefined if it is not there, or came without one. */
async function identityOf(dest: string): Promise<string | undefined> {
  if ((await stat(dest).catch(() => undefined)) === undefined) return undefined
  return readFile(`${dest}.id`, 'utf8').catch(() => undefined)
}

/** One request; appends to the part if the server agrees that it is the same file. */
async function attempt(
  url: string,
  part: string,
  before: string | undefined,
  { emit, signal, task = url, headers, agents }: FetchOptions,
): Promise<Outcome> {
  // Loaded only when something is fetched: unpacking has to stay small.
  const { default: got } = await import('got')
  trustSystemAuthorities()
  const identity = await readFile(`${part}.id`, 'utf8').catch(() => undefined)
  const have = identity === undefined ? 0 : ((await stat(part).catch(() => undefined))?.size ?? 0)
  const range = have > 0 && identity ? { range: `bytes=${have}-`, 'if-range': identity } : {}
  const known = have > 0 || before === undefined ? undefined : before
  const unless =
    known === undefined
      ? {}
      : /^(W\/)?"/.test(known)
        ? { 'if-none-match': known }
        : { 'if-modified-since': known }
  const request = got.stream(url, {
    signal,
    retry: { limit: 0 },
    timeout: { lookup: 5000, connect: 10_000, response: 30_000, socket: 30_000 },
    headers: { ...headers, ...range, ...unless, 'accept-encoding': 'identity' },
    decompress: false,
    throwHttpErrors: false,
    ...(agents === undefined ? {} : { agent: agents }),
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
  if (statusCode === 304 && known !== undefined) {
    request.destroy()
    return 'unchanged'
  }
  if (statusCode === 416 && have > 0) {
    request.destroy()
    // The part is not a beginning of what is there now.
    await rm(`${part}.id`, { force: true })
    throw new Error('the server has another file than before')
  }
  if (statusCode !== 200 && statusCode !== 206) {
    request.destroy()
    const error = new RefusedError(statusCode, String(response.headers['www-authenticate'] ?? ''))
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
  let unwritten: unknown
  request.on('data', (chunk: Buffer) => {
    if (unwritten !== undefined) return
    try {
      writeSync(file, chunk)
    } catch (error) {
      // Thrown in here it would end the process.
      unwritten = error
      request.destroy()
      return
    }
    done += chunk.length
    progress(done)
  })
  try {
    await finished(request).catch((error: unknown) => {
      throw unwritten === undefined ? error : new AbortError(unwritten as Error)
    })
    if (unwritten !== undefined) throw new AbortError(unwritten as Error)
    // A power cut must not leave a file of zeros beside the identity of the whole one.
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  if (total > 0 && done !== total) throw new Error(`the connection ended after ${done} of ${total} bytes`)
  return 'fetched'
}

/** Hex sha256 of a file, undefined if there is none. */
export async function sha256Of(path: string): Promise<string | undefined> {
  try {
    return await hashFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
