import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { type Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { collectBuffers } from './collect-garbage.ts'
import type { EntryVisitor } from './entries.ts'
import { unsafePath } from './paths.ts'
import { progressSteps } from './progress.ts'

/** Bytes read, decompressed and handed on at once: large enough to keep the two threads busy, small enough for memory. */
const CHUNK = 512 * 1024

/** Bytes after which buffers are freed. */
const COLLECT_EVERY = 32 * 1024 * 1024

/** Thrown inside the stream to leave it early; never leaves this file. */
const STOP = new Error('enough')

/**
 * Reads a .tar.zst, .tar.gz or .tar, told apart by content, in one pass.
 * @throws EdgeadmError class `package`: not an archive, truncated, damaged, or refused by the visitor
 */
export async function readArchive(
  path: string,
  visitor: EntryVisitor,
  { emit, signal }: Reporting,
  task: string,
): Promise<void> {
  const total = (await stat(path)).size
  const decompress = await decompressorFor(path)
  const progress = progressSteps(emit, task, total, 'bytes')
  let done = 0
  const input = createReadStream(path, { highWaterMark: CHUNK })
  input.on('data', (chunk) => {
    done += chunk.length
    progress(done)
  })
  const sink = new TarSink(path, visitor)
  try {
    await (decompress === undefined
      ? pipeline(input, sink, { signal })
      : pipeline(input, decompress, sink, { signal }))
  } catch (error) {
    if (error === STOP) return
    if (signal.aborted) throw signal.reason
    throw asPackageError(error, path, sink.position ?? 'its beginning')
  }
}

async function decompressorFor(path: string): Promise<Transform | undefined> {
  const head = Buffer.alloc(512)
  const file = await open(path)
  try {
    await file.read(head, 0, head.length, 0)
  } finally {
    await file.close()
  }
  if (head.readUInt32LE(0) === 0xfd2fb528) return createZstdDecompress({ chunkSize: CHUNK })
  if (head.readUInt16BE(0) === 0x1f8b) return createGunzip({ chunkSize: CHUNK })
  if (head.toString('latin1', 257, 262) === 'ustar') return undefined
  throw new EdgeadmError('package', `${path} is not an edgeadm package: it is neither zstd, gzip nor tar`)
}

/** The plain tar stream's end: drives tar's parser by hand, so that an error thrown by a visitor ends the pipeline. */
class TarSink extends Writable {
  /** The entry being read, for errors. */
  position: string | undefined
  #failure: unknown
  #sawEnd = false
  #uncollected = 0
  #tail: Buffer = Buffer.alloc(0)
  readonly #parser: Parser
  readonly #visitor: EntryVisitor

  constructor(archive: string, visitor: EntryVisitor) {
    super({ highWaterMark: 2 * CHUNK })
    this.#visitor = visitor
    this.#parser = new Parser({ strict: true, onReadEntry: (entry) => this.#guard(() => this.#entry(entry)) })
    this.#parser.on('error', (error: unknown) => {
      this.#failure ??= new EdgeadmError(
        'package',
        this.position === undefined
          ? `${archive} is not an edgeadm package: ${messageOf(error)}`
          : `${archive} is damaged or truncated at ${this.position}: ${messageOf(error)}`,
        { fix: 'get the package again and compare its sha256' },
      )
    })
    this.#parser.on('eof', () => {
      this.#sawEnd = true
    })
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#guard(() => this.#parser.write(chunk))
    this.#tail = chunk
    this.#uncollected += chunk.length
    if (this.#uncollected > COLLECT_EVERY) {
      this.#uncollected = 0
      collectBuffers()
    }
    done(this.#outcome())
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#guard(() => this.#parser.end())
    if (
      this.#failure === undefined &&
      !this.#sawEnd &&
      !this.#tail.subarray(-512).every((byte) => byte === 0)
    )
      this.#failure = new Error('unexpected end of file')
    done(this.#outcome())
  }

  #outcome(): Error | null {
    if (this.#failure !== undefined) return this.#failure as Error
    return this.#visitor.finished() ? STOP : null
  }

  #entry(entry: ReadEntry): void {
    const path = entry.path.replace(/^(\.\/)+/, '')
    this.position = path
    if (this.#failure !== undefined || this.#visitor.finished()) {
      entry.resume()
      return
    }
    const name = path.replace(/\/$/, '')
    if (entry.type === 'Directory' && (name === '' || name === '.' || !unsafePath(name))) {
      entry.resume()
      return
    }
    if (unsafePath(name))
      throw new EdgeadmError(
        'package',
        `the package holds ${JSON.stringify(entry.path)}, which leads out of it`,
      )
    if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile')
      throw new EdgeadmError(
        'package',
        `the package holds ${JSON.stringify(path)}, a ${entry.type}: only files are allowed`,
      )
    const sink = this.#visitor.entry({ path, size: entry.size, mode: (entry.mode ?? 0) & 0o7777 })
    entry.on('data', (chunk) => this.#guard(() => sink.data(chunk as Buffer)))
    entry.on('end', () => this.#guard(() => sink.end()))
  }

  /** Runs a step unless one has failed already, and keeps the first failure. */
  #guard(step: () => void): void {
    if (this.#failure !== undefined) return
    try {
      step()
    } catch (error) {
      this.#failure ??= error
    }
  }
}

function asPackageError(error: unknown, path: string, position: string): unknown {
  if (error instanceof EdgeadmError) return error
  const message = messageOf(error)
  const code = (error as { code?: unknown }).code
  const fix = 'get the package again and compare its sha256'
  if (message.includes('unexpected end of file') || code === 'Z_BUF_ERROR')
    return new EdgeadmError('package', `${path} is truncated: it ends inside ${position}`, { fix })
  if (typeof code === 'string' && /^(Z_|ZSTD_)/.test(code))
    return new EdgeadmError('package', `${path} is damaged near ${position}: ${message}`, { fix })
  return error
}
