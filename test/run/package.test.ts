import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { readConfigFile } from '../../src/config/load.ts'
import { openPackage } from '../../src/run/package.ts'
import { serveFiles, type TestServer } from '../package/server.ts'
import { newSigner, signedEntries } from '../package/signed.ts'
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

test('a dry run leaves nothing in the directory of downloads', async () => {
  const url = `${server.url}/site/edgeadm.tar.zst`
  const { path } = await openPackage({ 'install-pkg-path': url, 'dry-run': true }, undefined, reporter())
  expect(path).toContain('edgeadm-dry-run-')
  expect(path?.startsWith(process.env.XDG_CACHE_HOME ?? '')).toBe(false)
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

describe('a public key', () => {
  const signer = newSigner()
  const key = join(temporaryFolder(), 'key.pub')
  writeFileSync(key, signer.publicPem)
  const signed = packageFile(signedEntries(signer.key))
  const openWith = (path: string, publicKeyFile: string) =>
    openPackage({ 'install-pkg-path': path, 'install-pkg-public-key': publicKeyFile }, undefined, reporter())

  test('takes what its owner signed', async () => {
    expect((await openWith(signed, key)).manifest?.kubernetesVersion).toBe('v1.33.13')
  })

  test('stays where no package is named, so that the settings can refuse it', async () => {
    const opened = await openPackage({ 'install-pkg-public-key': key }, undefined, reporter())
    expect(opened).toMatchObject({ path: undefined, publicKey: key })
  })

  test('refuses what nobody signed, what somebody else signed, and a key that is none', async () => {
    await expect(openWith(file, key)).rejects.toMatchObject({
      class: 'package',
      message: `${file} is not signed, but a public key was given`,
    })
    const other = packageFile(signedEntries(newSigner().key))
    await expect(openWith(other, key)).rejects.toMatchObject({
      class: 'package',
      message: expect.stringContaining('does not fit its manifest and the given key'),
    })
    await expect(openWith(signed, file)).rejects.toMatchObject({
      class: 'usage',
      message: expect.stringContaining('cannot be read as a public key'),
    })
  })

  test('may stand in the configuration file', async () => {
    const config = join(temporaryFolder(), 'config.yaml')
    const body = `apiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\npackage: {path: ${file}, publicKey: ${key}}\n`
    writeFileSync(config, body)
    await expect(openPackage({}, await readConfigFile(config), reporter())).rejects.toThrow('is not signed')
  })
})
