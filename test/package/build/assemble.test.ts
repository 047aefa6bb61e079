import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { unpackPackage, verifyPackage } from '../../../src/package/unpack.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'
import { build, freshCache, recipe, tarball } from './fixtures.ts'

/** Programs from an archive of the user's, an image made of one of them and of a program that is only in images. */
const COMPONENTS = [
  {
    name: 'tools',
    version: 'v1.0.0',
    licence: 'Apache-2.0',
    files: { 'bin/tool': 'tool', 'bin/other': 'other' },
    sources: [{ type: 'go', module: 'example.org/tools', package: 'example.org/tools/{name}' }],
  },
  ...['first', 'second'].map((name) => ({
    name: `${name}-image`,
    version: 'v1.0.0',
    licence: 'Apache-2.0',
    image: `registry.example.org/${name}:{version}`,
    sources: [
      {
        type: 'layers',
        layers: [{ '/usr/bin/tool': 'tools/tool' }, { '/inner': 'tools/inner' }],
        capabilities: { '/inner': 'cap_net_bind_service' },
        entrypoint: [`/${name}`],
        user: '65532:65532',
      },
    ],
  })),
]

const archive = join(temporaryFolder(), 'tools.tgz')
writeFileSync(archive, tarball({ 'tools/tool': 'tool', 'tools/other': 'other', 'tools/inner': 'inner' }))
const archives = { tools: archive }

beforeEach(() => {
  freshCache()
})

test('built twice, from two caches, a package is the same to the last byte', async () => {
  const one = await build(recipe(COMPONENTS), { archives })
  freshCache()
  const two = await build(recipe(COMPONENTS), { archives })
  expect(one.path).not.toBe(two.path)
  expect(readFileSync(one.path).equals(readFileSync(two.path))).toBe(true)
  const listed = execFileSync('tar', ['--zstd', '-tvf', one.path, '--utc']).toString()
  for (const line of listed.trim().split('\n')) expect(line).toMatch(/ 0\/0 .* 1970-01-01 00:00 /)
})

test('images share their layers, and each knows its name, user and entry point', async () => {
  const { path, manifest } = await build(recipe(COMPONENTS), { archives })
  const staging = temporaryFolder()
  await unpackPackage(path, staging, reporter())
  expect(manifest.images.map(({ name }) => name)).toEqual([
    'registry.example.org/first:v1.0.0',
    'registry.example.org/second:v1.0.0',
  ])
  // Two layers that both have, and a configuration and a manifest each.
  const blobs = readdirSync(join(staging, 'images/blobs/sha256'))
  expect(blobs).toHaveLength(6)
  const blob = (digest: string) => readFileSync(join(staging, 'images/blobs/sha256', digest.slice(7)))
  const image = JSON.parse(blob(manifest.images[1]?.digest ?? '').toString())
  const config = JSON.parse(blob(image.config.digest).toString())
  expect(config.config).toMatchObject({ User: '65532:65532', Entrypoint: ['/second'] })
  const layer = join(temporaryFolder(), 'layer.tar')
  writeFileSync(layer, blob(image.layers[1].digest))
  expect(execFileSync('tar', ['-xOf', layer, 'inner']).toString()).toBe('inner')
  // What setcap cap_net_bind_service=+ep writes.
  expect(readFileSync(layer).includes(Buffer.from('0100000200040000', 'hex'))).toBe(true)
})

test('a package that is up to date is verified and left; a damaged or another one is written anew', async () => {
  const outputDirectory = temporaryFolder()
  const path = recipe(COMPONENTS)
  const first = await build(path, { archives, outputDirectory })
  const bytes = readFileSync(first.path)
  const { ino } = statSync(first.path)
  const again = await build(path, { archives, outputDirectory })
  expect(again.lines.at(-1)).toContain('is up to date')
  expect(statSync(first.path).ino).toBe(ino)

  writeFileSync(first.path, bytes.subarray(0, bytes.length - 10))
  // What a build left that was killed while it wrote; no process has this number.
  writeFileSync(`${first.path}.${2 ** 22 + 1}.making`, 'half')
  await build(path, { archives, outputDirectory })
  expect(readFileSync(first.path).equals(bytes)).toBe(true)

  const fewer = await build(path, { archives, outputDirectory, without: ['second-image'] })
  expect((await verifyPackage(fewer.path, reporter())).images).toHaveLength(1)
  expect(readdirSync(outputDirectory)).toHaveLength(1)
})

test('a component that changed in the cache stops the build', async () => {
  const cache = freshCache()
  const outputDirectory = temporaryFolder()
  await build(recipe(COMPONENTS), { archives })
  const [name] = readdirSync(join(cache, 'components')).filter((entry) => entry.startsWith('tools-'))
  writeFileSync(join(cache, 'components', String(name), 'files/other'), 'OTHER')
  await expect(build(recipe(COMPONENTS), { archives, outputDirectory })).rejects.toThrow(
    'has changed since it was made',
  )
  expect(readdirSync(outputDirectory)).toEqual([])
})

test('--sign-key makes a package that is accepted with the public key only', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const { path } = await build(recipe(COMPONENTS), { archives, signKey: join(folder, 'key.pem') })
  await verifyPackage(path, { ...reporter(), publicKey: join(folder, 'key.pub') })
  await expect(build(recipe(COMPONENTS), { archives, signKey: archive })).rejects.toThrow(
    'cannot be read as a private key',
  )
})
