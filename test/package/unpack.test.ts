import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkArchitecture } from '../../src/package/architecture.ts'
import { serializeManifest } from '../../src/package/manifest.ts'
import { readPackageManifest, unpackPackage, verifyPackage } from '../../src/package/unpack.ts'
import { newSigner, signedEntries } from './signed.ts'
import {
  entriesOf,
  FILES,
  manifestOf,
  modeOf,
  packageFile,
  reporter,
  tarOf,
  temporaryFolder,
} from './synthetic.ts'

describe.each(['.tar.zst', '.tar.gz', '.tar'])('a package as %s', (ending) => {
  test('is unpacked with contents and modes, whatever the umask', async () => {
    const staging = temporaryFolder()
    const before = process.umask(0o077)
    const manifest = await unpackPackage(packageFile(entriesOf(), ending), staging, reporter()).finally(() =>
      process.umask(before),
    )
    expect(manifest).toEqual(manifestOf())
    for (const [path, content] of Object.entries(FILES)) {
      expect(readFileSync(join(staging, path)).equals(content)).toBe(true)
      expect(statSync(join(staging, path)).mode & 0o7777).toBe(modeOf(path))
    }
    expect(readFileSync(join(staging, 'manifest.json')).equals(serializeManifest(manifest))).toBe(true)
  })

  test('tells its manifest without its end being there', async () => {
    const path = packageFile(entriesOf(), ending)
    expect(await readPackageManifest(path, reporter())).toEqual(manifestOf())
    const tar = packageFile(entriesOf(), '.tar')
    writeFileSync(tar, readFileSync(tar).subarray(0, 8192))
    expect((await readPackageManifest(tar, reporter())).files).toHaveLength(4)
  })

  test('is verified and reports progress up to its end', async () => {
    const { events, ...reporting } = reporter()
    await verifyPackage(packageFile(entriesOf(), ending), reporting)
    const progress = events.filter((event) => event.type === 'progress')
    expect(progress.at(-1)?.done).toBe(progress.at(-1)?.total)
  })
})

test('packed by hand with GNU tar, folders and "./" included, it is still a package', async () => {
  const folder = unpacked()
  const path = join(temporaryFolder(), 'package.tar.gz')
  execFileSync('tar', [
    '-czf',
    path,
    '-C',
    folder,
    './manifest.json',
    './bin',
    './cni',
    './container',
    './images',
  ])
  expect(await verifyPackage(path, reporter())).toEqual(manifestOf())
})

test('an unpacked folder is a package too, and can be unpacked from', async () => {
  const folder = unpacked()
  const staging = temporaryFolder()
  await unpackPackage(folder, staging, reporter())
  expect(readFileSync(join(staging, 'cni/bridge')).equals(FILES['cni/bridge'] as Buffer)).toBe(true)
  writeFileSync(join(folder, 'bin/extra'), '')
  await expect(verifyPackage(folder, reporter())).rejects.toThrow(
    'holds "bin/extra", which its manifest does not list',
  )
})

test('only the selected files are written, all are verified', async () => {
  const staging = temporaryFolder()
  const select = ({ path }: { path: string }) => path.startsWith('cni/')
  await unpackPackage(packageFile(), staging, { ...reporter(), select })
  expect(readdirSync(staging).sort()).toEqual(['cni', 'manifest.json'])
  const damaged = { ...FILES, 'bin/kubeadm': Buffer.from('#!/bin/sh\necho v1.33.14\n') }
  const path = packageFile(entriesOf(manifestOf(), damaged))
  const other = temporaryFolder()
  await expect(unpackPackage(path, other, { ...reporter(), select })).rejects.toThrow('bin/kubeadm')
  expect(readdirSync(other)).toEqual([])
})

test('a staging folder with something in it is left alone', async () => {
  const staging = temporaryFolder()
  writeFileSync(join(staging, 'mine'), 'x')
  await expect(unpackPackage(packageFile(), staging, reporter())).rejects.toThrow('is not empty')
  expect(readdirSync(staging)).toEqual(['mine'])
})

test('Ctrl-C empties the staging folder and is passed on as what it was', async () => {
  const staging = temporaryFolder()
  const { abort, signal } = reporter()
  const reason = new Error('interrupted')
  const emit = () => abort.abort(reason)
  await expect(unpackPackage(packageFile(), staging, { emit, signal })).rejects.toBe(reason)
  expect(readdirSync(staging)).toEqual([])
})

test('another architecture is told from the manifest', () => {
  expect(() => checkArchitecture({ arch: 'arm64' }, '/p.tar.zst', 'amd64')).toThrow(
    '/p.tar.zst is for linux/arm64, this machine is linux/amd64',
  )
})

describe('signatures', () => {
  const keys = () => {
    const { key, publicPem } = newSigner()
    const path = join(temporaryFolder(), 'key.pub')
    writeFileSync(path, publicPem)
    return { privateKey: key, publicKey: path }
  }
  const signed = (...args: Parameters<typeof signedEntries>) => packageFile(signedEntries(...args))

  test('the right key is accepted', async () => {
    const { privateKey, publicKey } = keys()
    await verifyPackage(signed(privateKey), { ...reporter(), publicKey })
    await verifyPackage(signed(privateKey), reporter())
  })

  test('another key, a changed manifest and a missing signature are refused', async () => {
    const { privateKey, publicKey } = keys()
    const other = { ...reporter(), publicKey: keys().publicKey }
    await expect(verifyPackage(signed(privateKey), other)).rejects.toThrow('does not fit')
    const changed = signed(privateKey, manifestOf(FILES, { edgeVersion: '0.1.1' }))
    await expect(verifyPackage(changed, { ...reporter(), publicKey })).rejects.toThrow('does not fit')
    await expect(verifyPackage(packageFile(), { ...reporter(), publicKey })).rejects.toThrow('is not signed')
    const empty = packageFile(entriesOf(manifestOf({}), {}))
    await expect(verifyPackage(empty, { ...reporter(), publicKey })).rejects.toThrow('is not signed')
  })
})

function unpacked(): string {
  const folder = temporaryFolder()
  for (const { path, content, mode } of entriesOf()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content ?? '', { mode: mode ?? 0o644 })
  }
  return folder
}

test('the helper itself writes what GNU tar can read', () => {
  const path = join(temporaryFolder(), 'x.tar')
  writeFileSync(path, tarOf(entriesOf()))
  expect(execFileSync('tar', ['-tf', path]).toString().trim().split('\n')).toContain('bin/kubeadm')
})

test('a package that was swapped since it was checked is refused, and nothing of it is written', async () => {
  const path = packageFile()
  const expected = await readPackageManifest(path, reporter())
  const other = { ...manifestOf(), edgeVersion: '9.9.9' }
  writeFileSync(path, readFileSync(packageFile(entriesOf(other))))
  const staging = temporaryFolder()
  await expect(unpackPackage(path, staging, { ...reporter(), expected })).rejects.toMatchObject({
    class: 'package',
    message: expect.stringContaining('is another package than a moment ago'),
  })
  expect(readdirSync(staging)).toEqual([])
})

test.each([
  ['images', [{ name: 'pause', digest: 'sha256:12', size: 1 }], 'lists an image without'],
  ['components', [{ name: 'x' }], 'lists a component without'],
])('a manifest with a wrong entry in %s is refused', async (list, value, says) => {
  const manifest = { ...manifestOf(), [list]: value }
  const path = packageFile(entriesOf(manifest as unknown as ReturnType<typeof manifestOf>))
  await expect(readPackageManifest(path, reporter())).rejects.toMatchObject({
    class: 'package',
    message: expect.stringContaining(says),
  })
})
