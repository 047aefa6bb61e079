import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EdgeadmError } from '../../src/output/errors.ts'
import type { PackageFile, PackageManifest } from '../../src/package/manifest.ts'
import { readPackageManifest, unpackPackage } from '../../src/package/unpack.ts'
import {
  entriesOf,
  FILES,
  manifestOf,
  packageFile,
  type RawEntry,
  reporter,
  temporaryFolder,
} from './synthetic.ts'

/** The package next to a folder that nothing may be written to. */
async function refusal(path: string): Promise<string> {
  const parent = temporaryFolder()
  const staging = join(parent, 'staging')
  mkdirSync(staging)
  const error: unknown = await unpackPackage(path, staging, reporter()).then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(EdgeadmError)
  expect((error as EdgeadmError).class).toBe('package')
  expect(readdirSync(staging)).toEqual([])
  expect(readdirSync(parent)).toEqual(['staging'])
  return (error as EdgeadmError).message
}

const x = Buffer.from('x')
const added: readonly (readonly [string, RawEntry, string])[] = [
  ['a path with ..', { path: '../escaped', content: x }, 'leads out of it'],
  ['a path with .. in the middle', { path: 'bin/../../escaped', content: x }, 'leads out of it'],
  ['an absolute path', { path: '/tmp/escaped', content: x }, 'leads out of it'],
  ['a folder that leads out', { path: '../escaped/', type: 'Directory' }, 'leads out of it'],
  [
    'a symbolic link out',
    { path: 'bin/link', type: 'SymbolicLink', linkpath: '/etc/passwd' },
    'SymbolicLink',
  ],
  ['a symbolic link inside', { path: 'bin/link', type: 'SymbolicLink', linkpath: 'kubeadm' }, 'SymbolicLink'],
  ['a hard link', { path: 'bin/link', type: 'Link', linkpath: '../../etc/passwd' }, 'Link'],
  ['a device', { path: 'bin/null', type: 'CharacterDevice' }, 'CharacterDevice'],
  ['a fifo', { path: 'bin/pipe', type: 'FIFO' }, 'FIFO'],
  ['an unlisted file', { path: 'bin/backdoor', content: x }, 'does not list'],
  [
    'a file twice',
    { path: 'bin/kubeadm', content: FILES['bin/kubeadm'] as Buffer },
    'holds bin/kubeadm twice',
  ],
  ['a second manifest', { path: 'manifest.json', content: x }, 'does not list'],
]

describe('an archive that holds', () => {
  test.each(added)('%s is refused', async (_name, entry, message) => {
    expect(await refusal(packageFile([...entriesOf(), entry]))).toContain(message)
    const [manifest, ...rest] = entriesOf()
    expect(await refusal(packageFile([manifest as RawEntry, entry, ...rest], '.tar'))).toMatch(
      /leads out|only files|does not list|twice|not an edgeadm package|not fit/,
    )
  })
})

test('a signature anywhere but second is an unlisted file', async () => {
  expect(await refusal(packageFile([...entriesOf(), { path: 'manifest.sig', content: x }]))).toContain(
    'does not list',
  )
})

describe('a file that is not what the manifest says is refused:', () => {
  const withFile = (change: Partial<RawEntry>) =>
    packageFile(entriesOf().map((entry) => (entry.path === 'bin/kubeadm' ? { ...entry, ...change } : entry)))
  const content = FILES['bin/kubeadm'] as Buffer

  test('contents', async () => {
    const other = Buffer.from(content)
    other[3] = 0x42
    expect(await refusal(withFile({ content: other }))).toMatch(
      /bin\/kubeadm in .* is damaged: its sha256 is/,
    )
  })
  test('size', async () => {
    expect(await refusal(withFile({ content: Buffer.concat([content, x]) }))).toContain(
      '25 bytes instead of 24',
    )
  })
  test('mode', async () => {
    expect(await refusal(withFile({ mode: 0o4755 }))).toContain('its mode is 04755 instead of 0755')
  })
  test('a header that claims more than there is', async () => {
    await refusal(withFile({ size: 1_000_000 }))
  })
  test('missing', async () => {
    const path = packageFile(entriesOf().filter((entry) => entry.path !== 'cni/bridge'))
    expect(await refusal(path)).toContain('is incomplete: 1 of 4 files are missing, the first is cni/bridge')
  })
})

describe('a manifest is refused', () => {
  const withFile = (change: Partial<PackageFile>) =>
    manifestOf(FILES, {
      files: manifestOf().files.map((file, at) => (at === 0 ? { ...file, ...change } : file)),
    })
  const bad: readonly (readonly [string, PackageManifest | Buffer, string])[] = [
    ['not JSON', Buffer.from('{'), 'is not JSON'],
    ['a list', Buffer.from('[]'), 'is not an object'],
    ['without a schema', Buffer.from('{}'), 'has no schema'],
    [
      'of another schema',
      manifestOf(FILES, { schema: 'edgeadm.io/package/v9' }),
      'package format edgeadm.io/package/v9',
    ],
    ['without an architecture', manifestOf(FILES, { arch: 'mips' as 'amd64' }), 'no known architecture'],
    ['with a path that leads out', withFile({ path: '../x' }), 'leads out'],
    ['with an absolute path', withFile({ path: '/x' }), 'leads out'],
    ['with a path twice', withFile({ path: 'cni/bridge' }), 'twice'],
    ['with a negative size', withFile({ size: -1 }), 'no size'],
    ['with a setuid mode', withFile({ mode: 0o4755 }), 'no mode'],
    ['with a short hash', withFile({ sha256: 'ab' }), 'no sha256'],
    ['that lists itself', withFile({ path: 'manifest.json' }), 'lists itself'],
  ]
  test.each(bad)('that is %s', async (_name, manifest, message) => {
    const content = Buffer.isBuffer(manifest) ? manifest : Buffer.from(JSON.stringify(manifest))
    const path = packageFile([{ path: 'manifest.json', content, mode: 0o644 }, ...entriesOf().slice(1)])
    expect(await refusal(path)).toContain(message)
    await expect(readPackageManifest(path, reporter())).rejects.toThrow(message)
  })
})

describe('something else than a package:', () => {
  const file = (content: Buffer | string) => {
    const path = join(temporaryFolder(), 'package.tar.zst')
    writeFileSync(path, content)
    return path
  }
  test('nothing there', async () => {
    expect(await refusal('/nonexistent/p.tar.zst')).toBe('there is no package at /nonexistent/p.tar.zst')
  })
  test('an empty file', async () => {
    expect(await refusal(file(''))).toContain('it is empty')
  })
  test('a text', async () => {
    expect(await refusal(file('hello '.repeat(200)))).toContain('neither zstd, gzip nor tar')
  })
  test('an empty archive', async () => {
    expect(await refusal(packageFile([]))).toContain('not an edgeadm package')
  })
  test('another archive', async () => {
    expect(await refusal(packageFile([{ path: 'README', content: x }]))).toContain('begins with "README"')
  })
  test('an empty folder', async () => {
    expect(await refusal(temporaryFolder())).toContain('it is empty')
  })
})
