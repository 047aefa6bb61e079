import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'

const compress = promisify(zstdCompress)

/** Bytes in a frame before compression: far more than zstd's window, so that cutting costs next to nothing. */
const FRAME = 16 * 1024 * 1024

/** Level 9 is where a package of programs stops getting noticeably smaller for the time it takes. */
const PARAMS = {
  [constants.ZSTD_c_compressionLevel]: 9,
  [constants.ZSTD_c_checksumFlag]: 1,
}

/**
 * Compresses with zstd on all processors: each 16 MiB is a frame of its own, and frames one after the other are one
 * zstd file (RFC 8878, 3). The result does not depend on the number of processors.
 */
export async function* zstdFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const running: Promise<Buffer>[] = []
  for await (const frame of frames(chunks)) {
    const compressed = compress(frame, { params: PARAMS })
    // Awaited in order below; a failure must not count as unhandled before its turn comes.
    compressed.catch(() => {})
    running.push(compressed)
    if (running.length >= availableParallelism() + 1) yield (await running.shift()) as Buffer
  }
  for (const compressed of running) yield await compressed
}

async function* frames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let frame = Buffer.allocUnsafe(FRAME)
  let filled = 0
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(frame, filled, at)
      at += copied
      filled += copied
      if (filled < FRAME) continue
      yield frame
      frame = Buffer.allocUnsafe(FRAME)
      filled = 0
    }
  if (filled > 0) yield frame.subarray(0, filled)
}
