import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** The hash of a file in hexadecimal digits, read in large pieces. Rejects if the file cannot be read. */
export async function hashFile(
  path: string,
  algorithm: 'sha256' | 'sha512' = 'sha256',
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm)
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    hash,
    signal === undefined ? {} : { signal },
  )
  return hash.digest('hex')
}
