/** Updates: only what is new is moved, and the package that comes of it is the one that was built whole. */

import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { mergePackages } from '../../../src/package/build/merge.ts'
import { describeDiff, diffPackages } from '../../../src/package/diff.ts'
import { makeKeyPair } from '../../../src/package/keyring.ts'
import { verifyPackage } from '../../../src/package/unpack.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'
import { build, freshCache, recipe } from './fixtures.ts'

/** What is not compressible, so that sizes tell. */
const noise = (seed: number) =>
  Buffer.concat(
    Array.from({ length: 1000 }, (_, index) => createHash('sha512').update(`${seed} ${index}`).digest()),
  )

function recipeOf(version: string) {
  const program = (name: string, path: string, of: string) => ({
    name,
    version: of,
    licence: 'Apache-2.0',
    files: { [path]: name },
    sources: [{ type: 'release', url: 'https://example.org/{name}', sha256: { amd64: '0'.repeat(64) } }],
  })
  return recipe([
    program('kubelet', 'bin/kubelet', version),
    program('edgecore', 'bin/edgecore', 'v1'),
    program('containerd', 'container/containerd', 'v2'),
  ])
}

function archives(kubelet: number): Record<string, string> {
  const folder = temporaryFolder()
  const contents = { kubelet: noise(kubelet), edgecore: noise(1), containerd: noise(2) }
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => {
      const path = join(folder, name)
      writeFileSync(path, Buffer.concat([Buffer.from('\x7fELF', 'latin1'), content]))
      return [name, path]
    }),
  )
}

test('an update holds only what is new; merged with its base it is the whole package, signature included', async () => {
  freshCache()
  const folder = temporaryFolder()
  const keys = makeKeyPair(folder, 'key', undefined)
  const old = await build(recipeOf('v1'), { archives: archives(10) })
  const changed = { archives: archives(11), signKey: keys.privateKey }
  const whole = await build(recipeOf('v2'), changed)
  const update = await build(recipeOf('v2'), { ...changed, base: old.path })
  expect(basename(update.path)).toContain('-update-linux-amd64')
  expect(update.manifest).toEqual(whole.manifest)
  expect(statSync(update.path).size).toBeLessThan(statSync(whole.path).size / 2)

  const diff = diffPackages(old.manifest, whole.manifest)
  expect(diff.files.map(({ name }) => name)).toEqual(['bin/kubelet', 'sbom.cdx.json'])
  expect(diff.components).toMatchObject([
    { name: 'kubelet', old: expect.stringMatching(/^v1 /), new: expect.stringMatching(/^v2 /) },
  ])
  expect(describeDiff(diff)).toMatch(/~ +component +kubelet +v1 +v2\n.*\(3\d%\)$/s)
  expect(describeDiff(diffPackages(old.manifest, old.manifest))).toContain('hold the same')

  await expect(verifyPackage(update.path, reporter())).rejects.toMatchObject({
    message: expect.stringContaining('is incomplete: 2 of 4 files are missing'),
    fix: expect.stringContaining('edgeadm package merge'),
  })
  const path = join(temporaryFolder(), 'merged.tar.zst')
  await mergePackages({ ...reporter(), base: old.path, update: update.path, path, publicKey: keys.publicKey })
  expect(readFileSync(path).equals(readFileSync(whole.path))).toBe(true)
})

test('a wrong base, and a base that was changed, are refused and leave nothing', async () => {
  freshCache()
  const old = await build(recipeOf('v1'), { archives: archives(10) })
  const other = await build(recipeOf('v1'), { archives: archives(20), without: ['edgecore'] })
  const update = await build(recipeOf('v2'), { archives: archives(11), base: old.path })
  const folder = temporaryFolder()
  const path = join(folder, 'merged.tar.zst')
  const merge = (base: string) => mergePackages({ ...reporter(), base, update: update.path, path })
  await expect(merge(other.path)).rejects.toThrow('is an update of another package than')
  const broken = join(temporaryFolder(), 'broken.tar.zst')
  copyFileSync(old.path, broken)
  const bytes = readFileSync(broken)
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1
  writeFileSync(broken, bytes)
  await expect(merge(broken)).rejects.toMatchObject({ class: 'package' })
  expect(readdirSync(folder)).toEqual([])
  const arm = build(recipeOf('v2'), { archives: archives(11), base: old.path, arch: 'arm64' })
  await expect(arm).rejects.toThrow('is for linux/amd64')
})

test.each([
  ['edge', ['bin/edgecore', 'container/containerd']],
  ['worker', ['bin/kubelet', 'container/containerd']],
] as const)('a package for %s has only what such a machine needs', async (role, files) => {
  freshCache()
  const { manifest, path } = await build(recipeOf('v1'), { archives: archives(10), role })
  const programs = manifest.files.filter(({ component }) => component !== 'sbom')
  expect(programs.map((file) => file.path)).toEqual(files)
  expect(basename(path)).toContain(`-${role}-linux-amd64`)
})
