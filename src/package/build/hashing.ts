import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Blob } from './record.ts'

/** Writes chunks to a file and says what it has become. */
export async function writeBlob(
  path: string,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  signal: AbortSignal,
): Promise<Blob> {
  const tap = new HashTap()
  await pipeline(Readable.from(chunks), tap, createWriteStream(path, { flags: 'w' }), { signal })
  return tap.blob()
}

/** Decompresses a file and says what it was before and has become. */
export async function decompressFile(
  from: string,
  to: string,
  compression: 'gzip' | 'zstd' | 'none',
  signal: AbortSignal,
): Promise<Blob> {
  const tap = new HashTap()
  const input = createReadStream(from, { highWaterMark: 1 << 20 })
  const output = createWriteStream(to)
  if (compression === 'none') await pipeline(input, tap, output, { signal })
  else
    await pipeline(input, compression === 'gzip' ? createGunzip() : createZstdDecompress(), tap, output, {
      signal,
    })
  return tap.blob()
}

/** Size and sha256 of a file. */
export async function blobOf(path: string, signal: AbortSignal): Promise<Blob> {
  const tap = new HashTap()
  tap.resume()
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), tap, { signal })
  return tap.blob()
}

class HashTap extends Transform {
  readonly #hash = createHash('sha256')
  #size = 0

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error: Error | null, chunk: Buffer) => void,
  ): void {
    this.#hash.update(chunk)
    this.#size += chunk.length
    done(null, chunk)
  }

  blob(): Blob {
    return { digest: `sha256:${this.#hash.digest('hex')}`, size: this.#size }
  }
}
