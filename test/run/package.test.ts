import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { openPackage } from '../../src/run/package.ts'
import { serveFiles, type TestServer } from '../package/server.ts'
import { packageFile, reporter, temporaryFolder } from '../package/synthetic.ts'

const file = packageFile()
const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
let server: TestServer

beforeEach(async () => {
  server = await serveFiles({ '/site/edgeadm.tar.zst': readFileSync(file) })
  vi.stubEnv('XDG_CACHE_HOME', temporaryFolder())
  // Root's downloads lie below /var/lib/edgeadm.
  vi.spyOn(process, 'getuid').mockReturnValue(1000)
})

const open = (path: string, sum?: string): ReturnType<typeof openPackage> =>
  openPackage({ 'install-pkg-path': path, 'install-pkg-sha256': sum }, undefined, reporter())

test('a file is opened where it lies, an URL where it was downloaded to', async () => {
  expect(await open(file)).toMatchObject({ path: file, versions: { kubernetesVersions: ['v1.33.13'] } })
  const fetched = await open(`${server.url}/site/edgeadm.tar.zst`, sha256)
  expect(fetched.path).not.toBe(file)
  expect(readFileSync(fetched.path ?? '').equals(readFileSync(file))).toBe(true)
})

test('another sha256 is refused, for a file and for an URL', async () => {
  const wrong = '0'.repeat(64)
  for (const path of [file, `${server.url}/site/edgeadm.tar.zst`]) {
    await expect(open(path, wrong)).rejects.toMatchObject({
      class: 'package',
      message: expect.stringContaining(`instead of ${wrong}`),
    })
  }
})

test('nothing named is no package', async () => {
  expect(await openPackage({}, undefined, reporter())).toMatchObject({ path: undefined, manifest: undefined })
})
