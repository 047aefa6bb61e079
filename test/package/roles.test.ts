/** What of a package a machine unpacks: the rest would only fill its disk. */

import { expect, test } from 'vitest'
import { filesOfRole, type PackageManifest, serializeManifest } from '../../src/package/index.ts'
import { parseManifest } from '../../src/package/manifest.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const blob = (letter: string) => `images/blobs/sha256/${letter.repeat(64)}`

const BASE = digest('0')
/** The API server and pause share a layer. */
const IMAGES = [
  {
    name: 'registry.k8s.io/kube-apiserver:v1.33.13',
    digest: digest('a'),
    size: 3,
    blobs: [digest('a'), BASE],
  },
  { name: 'registry.k8s.io/pause:3.10', digest: digest('b'), size: 2, blobs: [digest('b'), BASE] },
  { name: 'registry.k8s.io/kube-proxy:v1.33.13', digest: digest('c'), size: 1, blobs: [digest('c')] },
]
const PATHS = [
  ...['bin/kubelet', 'bin/edgecore', 'container/bin/containerd', 'images/oci-layout', 'images/index.json'],
  ...['0', 'a', 'b', 'c'].map(blob),
]

const manifestWith = (images: PackageManifest['images']): PackageManifest => ({
  schema: 'edgeadm.io/package/v1alpha1',
  kubernetesVersion: 'v1.33.13',
  edgeVersion: '0.1.0',
  arch: 'amd64',
  files: PATHS.map((path) => ({ path, size: 1, mode: 0o644, sha256: '0'.repeat(64), component: 'x' })),
  images,
  components: [],
})

const left = (role: 'master' | 'worker' | 'edge', images: PackageManifest['images'] = IMAGES) => {
  const manifest = manifestWith(images)
  const needed = filesOfRole(manifest, role)
  return manifest.files.filter((file) => !needed(file)).map(({ path }) => path)
}

test('a machine unpacks the programs and the blobs of its role', () => {
  expect(left('master')).toEqual(['bin/edgecore'])
  expect(left('worker')).toEqual(['bin/edgecore', blob('a')])
  expect(left('edge')).toEqual(['bin/kubelet', blob('a'), blob('c')])
})

test('of a package that does not tell the blobs of each image all blobs are unpacked', () => {
  const [first, ...others] = IMAGES.map(({ blobs: _, ...image }) => image)
  expect(left('edge', [first as never, ...others])).toEqual(['bin/kubelet'])
})

test('a list of blobs that is none is refused', () => {
  const read = (blobs: unknown) => {
    const images = [{ ...IMAGES[0], blobs }] as PackageManifest['images']
    return parseManifest(serializeManifest(manifestWith(images)), 'p.tar')
  }
  expect(read([BASE]).images[0]?.blobs).toEqual([BASE])
  for (const blobs of ['x', ['../x'], [1]])
    expect(() => read(blobs)).toThrow(
      'lists blobs of registry.k8s.io/kube-apiserver:v1.33.13 that are no digests',
    )
})
