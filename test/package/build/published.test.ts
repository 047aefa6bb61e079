import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { verifyPackage } from '../../../src/package/unpack.ts'
import { serve } from '../server.ts'
import { reporter } from '../synthetic.ts'
import { build, freshCache, tarball, testImage } from './fixtures.ts'

/** What the publishers' archives hold (their listings on GitHub), by the beginning of the archive's name. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'containerd-static-2.2.9': ['bin/containerd', 'bin/containerd-shim-runc-v2', 'bin/ctr'],
  'cni-plugins-linux-amd64-v1.9.1':
    'bandwidth bridge dhcp dummy firewall host-device host-local ipvlan loopback macvlan portmap ptp sbr static tap tuning vlan vrf'.split(
      ' ',
    ),
  'cni-plugins-linux-amd64-v0.9.1': ['bridge', 'flannel'],
}

function contentOf(path: string): Buffer {
  const name = basename(path)
  const members = Object.entries(MEMBERS).find(([prefix]) => name.startsWith(prefix))?.[1]
  if (members !== undefined)
    return tarball(Object.fromEntries(members.map((member) => [`./${member}`, `${name} ${member}`])))
  return Buffer.from(`the program at ${path}`)
}

// What is served here are not the publishers' bytes, which are pinned; so their checksum files are what counts.
vi.mock('../../../src/package/build/pins.ts', () => ({ withPins: (component: unknown) => component }))

beforeEach(() => {
  freshCache()
})

test('the Kubernetes recipe can be built from releases and registries alone, at the paths of their publishers', async () => {
  const images = new Map<string, ReturnType<typeof testImage>>()
  const archives = new Map<string, Buffer>()
  const get = (path: string) => {
    const content = archives.get(path) ?? contentOf(path)
    archives.set(path, content)
    return content
  }
  const server = await serve((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const pull = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(pathname)
    if (pull !== null) {
      const [, repository = '', , reference = ''] = pull
      const image = images.get(repository) ?? testImage(repository)
      images.set(repository, image)
      response.end(image.blobs.get(reference.startsWith('sha256:') ? reference : image.index))
      return
    }
    // runc has one file of sums for all its programs, the others one beside each file.
    const summed = pathname.endsWith('/runc.sha256sum')
      ? pathname.replace('runc.sha256sum', 'runc.amd64')
      : pathname.replace(/\.sha256(sum)?$/, '')
    const content = get(summed)
    if (summed === pathname) response.end(content)
    else response.end(`${createHash('sha256').update(content).digest('hex')} *${basename(summed)}\n`)
  })
  const { path, manifest } = await build('kubernetes-1.33', { mirror: server.url, source: 'release' })
  await verifyPackage(path, reporter())
  expect(manifest.images).toHaveLength(8)
  const files = manifest.files.map((file) => file.path)
  for (const file of [
    'bin/kubeadm',
    'bin/kubelet',
    'bin/kubectl',
    'container/runc',
    'container/ctr',
    'cni/flannel',
  ])
    expect(files).toContain(file)
  // Nothing was built here: the programs that only images need are not made.
  for (const { source } of manifest.components) expect(source).toMatch(/^(release|image):/)
  const asked = server.requests.map((line) => line.replace(/\?.*/, ''))
  for (const wanted of [
    'GET /release/v1.33.13/bin/linux/amd64/kubelet',
    'GET /release/v1.33.13/bin/linux/amd64/kubelet.sha256',
    'GET /containerd/containerd/releases/download/v2.2.9/containerd-static-2.2.9-linux-amd64.tar.gz',
    'GET /opencontainers/runc/releases/download/v1.3.6/runc.amd64',
    'GET /containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz',
    'GET /v2/coredns/coredns/manifests/v1.12.0',
    'GET /v2/flannel-io/flannel/manifests/v0.28.4',
  ])
    expect(asked).toContain(wanted)
})
