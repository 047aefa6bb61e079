import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EdgeadmError } from '../../src/output/errors.ts'
import { unpackPackage, verifyPackage } from '../../src/package/unpack.ts'
import { entriesOf, FILES, packageFile, reporter, temporaryFolder } from './synthetic.ts'

async function outcome(bytes: Buffer, folder: string): Promise<EdgeadmError | 'whole'> {
  const path = join(folder, 'package')
  writeFileSync(path, bytes)
  return verifyPackage(path, reporter()).then(
    () => 'whole' as const,
    (error: unknown) => {
      if (!(error instanceof EdgeadmError) || error.class !== 'package') throw error
      return error
    },
  )
}

describe.each(['.tar.zst', '.tar.gz', '.tar'])('%s', (ending) => {
  const bytes = readFileSync(packageFile(entriesOf(), ending))
  const folder = temporaryFolder()

  test('truncated anywhere is refused with one sentence', async () => {
    // The end of a tar archive is 1024 zero bytes; what is before them is what counts.
    const end = ending === '.tar' ? bytes.length - 1024 : bytes.length
    for (let length = 1; length < end; length += Math.ceil(end / 60)) {
      const result = await outcome(bytes.subarray(0, length), folder)
      expect(result, `${length} of ${bytes.length} bytes`).not.toBe('whole')
      expect((result as EdgeadmError).message).toMatch(/truncated|incomplete|not an edgeadm package/)
    }
  })

  test('one flipped bit never changes what is unpacked', async () => {
    let refused = 0
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 80)) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ 0x10
      const result = await outcome(flipped, folder)
      if (result !== 'whole') {
        refused += 1
        continue
      }
      // Some bits carry nothing: padding of tar, the time in gzip's header, two spellings of the same in zstd.
      const staging = temporaryFolder()
      await unpackPackage(join(folder, 'package'), staging, reporter())
      for (const [path, content] of Object.entries(FILES))
        expect(readFileSync(join(staging, path)).equals(content), `bit in byte ${at}`).toBe(true)
    }
    expect(refused).toBeGreaterThan(40)
  })
})
