import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { checksumFor } from '../../../src/package/build/sources/release.ts'
import { unpackPackage } from '../../../src/package/unpack.ts'
import { serveFiles } from '../server.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'
import { build, freshCache, recipe, sha256, tarball } from './fixtures.ts'

const KUBEADM = Buffer.from('kubeadm for tests')
const PLUGINS = tarball({ bridge: 'bridge', loopback: 'loopback', dhcp: 'not wanted' })
const PLUGINS_NAME = 'cni-plugins-linux-amd64-v1.9.1.tgz'

/** The paths that dl.k8s.io and GitHub's releases have. */
const PUBLISHED = {
  '/release/v1.33.13/bin/linux/amd64/kubeadm': KUBEADM,
  '/release/v1.33.13/bin/linux/amd64/kubeadm.sha256': Buffer.from(sha256(KUBEADM)),
  [`/containernetworking/plugins/releases/download/v1.9.1/${PLUGINS_NAME}`]: PLUGINS,
  [`/containernetworking/plugins/releases/download/v1.9.1/${PLUGINS_NAME}.sha256`]: Buffer.from(
    `${sha256(PLUGINS)}  ${PLUGINS_NAME}\n`,
  ),
}

const KUBERNETES = {
  name: 'kubernetes',
  version: 'v1.33.13',
  licence: 'Apache-2.0',
  files: { 'bin/kubeadm': 'kubeadm' },
  sources: [
    {
      type: 'release',
      url: 'https://dl.k8s.io/release/{version}/bin/linux/{arch}/{name}',
      checksum: 'https://dl.k8s.io/release/{version}/bin/linux/{arch}/{name}.sha256',
    },
  ],
}
const CNI = {
  name: 'cni-plugins',
  version: 'v1.9.1',
  licence: 'Apache-2.0',
  files: { 'cni/bridge': 'bridge', 'cni/loopback': 'loopback' },
  sources: [
    {
      type: 'release',
      url: 'https://github.com/containernetworking/plugins/releases/download/{version}/cni-plugins-linux-{arch}-{version}.tgz',
      checksum:
        'https://github.com/containernetworking/plugins/releases/download/{version}/cni-plugins-linux-{arch}-{version}.tgz.sha256',
      member: '{name}',
    },
  ],
}

beforeEach(() => {
  freshCache()
})

test('published programs come from the mirror, are verified, and are executable in the package', async () => {
  const server = await serveFiles(PUBLISHED)
  const { path, manifest, lines } = await build(recipe([KUBERNETES, CNI]), { mirror: server.url })
  expect(lines[0]).toMatch(/^Sources: published releases and images from 127\.0\.0\.1:\d+$/)
  const staging = temporaryFolder()
  await unpackPackage(path, staging, reporter())
  expect(readFileSync(join(staging, 'bin/kubeadm')).equals(KUBEADM)).toBe(true)
  expect(readFileSync(join(staging, 'cni/bridge'), 'utf8')).toBe('bridge')
  expect(statSync(join(staging, 'cni/loopback')).mode & 0o777).toBe(0o755)
  expect(manifest.files.map((file) => file.path)).toEqual([
    'bin/kubeadm',
    'cni/bridge',
    'cni/loopback',
    'sbom.cdx.json',
  ])
  expect(manifest.components[1]?.source).toContain('release:https://github.com/containernetworking/plugins')
})

test('a second build asks no server for what is in the cache', async () => {
  const server = await serveFiles(PUBLISHED)
  const path = recipe([KUBERNETES, CNI])
  await build(path, { mirror: server.url })
  const before = server.requests.length
  await build(path, { mirror: server.url })
  expect(server.requests.slice(before).filter((line) => !line.startsWith('HEAD'))).toEqual([])
})

describe('refused, with nothing in the cache and no package:', () => {
  test('a program that is not what the publisher says', async () => {
    const bad = {
      ...PUBLISHED,
      '/release/v1.33.13/bin/linux/amd64/kubeadm': Buffer.from('kubeadm for tesTs'),
    }
    const server = await serveFiles(bad)
    const outputDirectory = temporaryFolder()
    await expect(build(recipe([KUBERNETES]), { mirror: server.url, outputDirectory })).rejects.toThrow(
      /kubeadm is damaged: its checksum is [0-9a-f]{64}, the publisher says/,
    )
    const good = await serveFiles(PUBLISHED)
    await build(recipe([KUBERNETES]), { mirror: good.url, outputDirectory })
  })

  test('a pinned checksum beats what the server says', async () => {
    const server = await serveFiles(PUBLISHED)
    const pinned = [{ ...KUBERNETES.sources[0], sha256: { amd64: 'a'.repeat(64) } }]
    await expect(build(recipe([{ ...KUBERNETES, sources: pinned }]), { mirror: server.url })).rejects.toThrow(
      'instead of aaaa',
    )
    const right = [{ ...KUBERNETES.sources[0], sha256: { 'amd64/kubeadm': sha256(KUBEADM) } }]
    await build(recipe([{ ...KUBERNETES, sources: right }]), { mirror: server.url })
    expect(server.requests.filter((line) => line.includes('.sha256'))).toEqual([])
  })

  test('an archive without the program', async () => {
    const server = await serveFiles(PUBLISHED)
    const files = { 'cni/vlan': 'vlan' }
    await expect(build(recipe([{ ...CNI, files }]), { mirror: server.url })).rejects.toThrow(
      'there is no vlan in',
    )
  })

  test('a publisher that does not answer, when nothing else can be had', async () => {
    await expect(build(recipe([KUBERNETES]), { mirror: 'http://127.0.0.1:1' })).rejects.toThrow(
      'kubernetes v1.33.13 cannot be had from any of its sources',
    )
  })
})

test('checksum files are read as publishers write them', () => {
  const hex = 'ab'.repeat(32)
  const long = createHash('sha512').update('x').digest('hex')
  expect(checksumFor(`${hex}\n`, 'kubeadm')).toBe(hex)
  expect(checksumFor(`${'cd'.repeat(32)}  other\n${hex}  runc.amd64\n`, 'runc.amd64')).toBe(hex)
  expect(checksumFor(`${hex.toUpperCase()} *dist/runc.amd64\n`, 'runc.amd64')).toBe(hex)
  expect(checksumFor(`${long}  kubeedge.tar.gz`, 'kubeedge.tar.gz')).toBe(long)
  expect(checksumFor(`${hex}  other\n`, 'runc.amd64')).toBeUndefined()
  expect(checksumFor('<html>not found</html>', 'x')).toBeUndefined()
})
