import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { registryOf } from '../../../src/package/build/sources/registry.ts'
import { unpackPackage } from '../../../src/package/unpack.ts'
import { serve } from '../server.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'
import { build, freshCache, recipe, type TestImage, testImage } from './fixtures.ts'

const PAUSE = {
  name: 'pause-image',
  version: '3.10',
  licence: 'Apache-2.0',
  image: 'registry.k8s.io/pause:{version}',
  sources: [{ type: 'image', reference: 'registry.k8s.io/pause:{version}' }],
}

/** A registry that wants a token, as registries do for anonymous pulls too. */
function registry(image: TestImage, change: (digest: string, bytes: Buffer) => Buffer = (_, bytes) => bytes) {
  return serve((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    if (url.pathname === '/token') {
      const asked = `${url.searchParams.get('service')} ${url.searchParams.get('scope')}`
      const right = asked === 'test repository:pause:pull'
      response.writeHead(right ? 200 : 403).end(JSON.stringify({ token: 'secret' }))
      return
    }
    if (url.pathname === '/') {
      response.end()
      return
    }
    if (request.headers.authorization !== 'Bearer secret') {
      const realm = `http://${request.headers.host}/token`
      response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="${realm}",service="test",scope="repository:pause:pull"`,
        })
        .end()
      return
    }
    const match = /^\/v2\/pause\/(manifests|blobs)\/(.+)$/.exec(url.pathname)
    const digest = match?.[2] === '3.10' ? image.index : String(match?.[2])
    const bytes = image.blobs.get(digest)
    if (bytes === undefined || url.searchParams.get('ns') !== 'registry.k8s.io') response.writeHead(404).end()
    else response.end(change(digest, bytes))
  })
}

beforeEach(() => {
  freshCache()
})

test('an image is pulled for the architecture, verified, and stored with plain layers', async () => {
  const image = testImage()
  const server = await registry(image)
  const { path, manifest } = await build(recipe([PAUSE]), { mirror: server.url })
  await expectStored(path, image)
  expect(manifest.images[0]?.name).toBe('registry.k8s.io/pause:3.10')
  expect(manifest.components[0]?.source).toBe(`image:registry.k8s.io/pause:3.10@${image.index}`)
})

describe('refused:', () => {
  const corrupt = (bytes: Buffer) =>
    Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)))
  test('a blob with another digest', async () => {
    const image = testImage()
    const server = await registry(image, (digest, bytes) =>
      digest === image.config ? corrupt(bytes) : bytes,
    )
    await expect(build(recipe([PAUSE]), { mirror: server.url })).rejects.toThrow('has the sha256')
  })
  test('a tag that is not the pinned digest', async () => {
    const server = await registry(testImage())
    const pinned = { ...PAUSE, sources: [{ ...PAUSE.sources[0], digest: testImage('other').index }] }
    await expect(build(recipe([pinned]), { mirror: server.url })).rejects.toThrow('the registry answers 404')
  })
  test('an architecture that the image does not have', async () => {
    const server = await registry(testImage())
    await expect(build(recipe([PAUSE]), { mirror: server.url, arch: 'arm64' })).rejects.toThrow(
      'does not exist for linux/arm64',
    )
  })
})

test('an image is taken from an OCI archive of the user', async () => {
  const image = testImage()
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'oci/blobs/sha256'), { recursive: true })
  for (const [digest, bytes] of image.blobs)
    writeFileSync(join(folder, 'oci/blobs/sha256', digest.slice(7)), bytes)
  const index = {
    schemaVersion: 2,
    manifests: [{ digest: image.index, size: image.blobs.get(image.index)?.length }],
  }
  writeFileSync(join(folder, 'oci/index.json'), JSON.stringify(index))
  writeFileSync(join(folder, 'oci/oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const file = join(folder, 'pause.tar')
  execFileSync('tar', ['-cf', file, '-C', join(folder, 'oci'), '.'])
  const { path } = await build(recipe([PAUSE]), { archives: { 'pause-image': file } })
  await expectStored(path, image)

  // Of several, the one of the repository's name; its tag may differ.
  const named = (name: string) => ({
    ...index.manifests[0],
    annotations: { 'io.containerd.image.name': name },
  })
  const other = { ...named('example.org/other:v1'), digest: `sha256:${'0'.repeat(64)}` }
  const several = { ...index, manifests: [other, named('example.org:5000/tried/pause:dev')] }
  writeFileSync(join(folder, 'oci/index.json'), JSON.stringify(several))
  execFileSync('tar', ['-cf', file, '-C', join(folder, 'oci'), '.'])
  await expectStored((await build(recipe([PAUSE]), { archives: { 'pause-image': file } })).path, image)

  writeFileSync(join(folder, 'oci/blobs/sha256', image.config.slice(7)), '{}')
  execFileSync('tar', ['-cf', file, '-C', join(folder, 'oci'), '.'])
  await expect(build(recipe([PAUSE]), { archives: { 'pause-image': file } })).rejects.toThrow('is damaged')
  writeFileSync(file, 'no archive')
  await expect(build(recipe([PAUSE]), { archives: { 'pause-image': file } })).rejects.toThrow(
    'cannot be unpacked',
  )
})

test('an optional component without a source is left out with a line; --with insists', async () => {
  const program = { ...PAUSE, name: 'program', image: undefined, files: { 'bin/x': 'x' } }
  const archive = join(temporaryFolder(), 'x')
  writeFileSync(archive, '\x7fELF')
  const path = recipe([JSON.parse(JSON.stringify(program)), { ...PAUSE, optional: true }])
  const options = { mirror: 'http://127.0.0.1:1', archives: { program: archive } }
  const { manifest, lines } = await build(path, options)
  expect(manifest.images).toEqual([])
  expect(lines.some((line) => line.startsWith('Leaving out pause-image'))).toBe(true)
  await expect(build(path, { ...options, with: ['pause-image'] })).rejects.toThrow('cannot be had')
})

test.each([
  ['registry.k8s.io/coredns/coredns:v1.12.0', 'registry.k8s.io', 'coredns/coredns', 'v1.12.0'],
  ['kubeedge/edgemesh-agent:v1.16.0', 'docker.io', 'kubeedge/edgemesh-agent', 'v1.16.0'],
  ['busybox', 'docker.io', 'library/busybox', 'latest'],
  ['localhost:5000/a/b@sha256:ab', 'localhost:5000', 'a/b', 'sha256:ab'],
])('%s is taken apart', (text, registryName, repository, reference) => {
  expect(registryOf(text)).toMatchObject({ registry: registryName, repository, reference })
})

/** The package has the image's configuration unchanged and its layers uncompressed, under the name it is known by. */
async function expectStored(path: string, image: TestImage): Promise<void> {
  const staging = temporaryFolder()
  const manifest = await unpackPackage(path, staging, reporter())
  const json = (file: string) => JSON.parse(readFileSync(join(staging, 'images', file), 'utf8'))
  const [entry] = json('index.json').manifests
  expect(entry.annotations['io.containerd.image.name']).toBe('registry.k8s.io/pause:3.10')
  expect(entry.digest).toBe(manifest.images[0]?.digest)
  const stored = json(`blobs/sha256/${entry.digest.slice(7)}`)
  expect(stored.config.digest).toBe(image.config)
  expect(stored.layers.map(({ digest }: { digest: string }) => digest)).toEqual(image.plainLayers)
  expect(stored.layers[0].mediaType).toBe('application/vnd.oci.image.layer.v1.tar')
}
