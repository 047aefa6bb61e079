/** init and join without a package, against publishers on loopback. All ways out lead through a proxy on loopback, too. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { InitFlags, JoinFlags } from '../../src/config/flags.ts'
import { resolveInit, resolveJoin } from '../../src/config/load.ts'
import type { EventBody } from '../../src/output/events.ts'
import { unpackPackage } from '../../src/package/unpack.ts'
import { goOnline } from '../../src/run/online.ts'
import { input } from '../config/fixtures.ts'
import { recipe } from '../package/build/fixtures.ts'
import { reporter, temporaryFolder } from '../package/synthetic.ts'
import { makeProxy, makeWorld, type World } from '../package/world.ts'

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9'

const init = (flags: InitFlags = {}) => resolveInit(input({ 'enable-edge': false, ...flags }))
const worker = (flags: JoinFlags = {}) =>
  resolveJoin({
    ...input({} as InitFlags),
    endpoint: '10.0.0.10:6443',
    flags: {
      token: 'abcdef.0123456789abcdef',
      'discovery-token-ca-cert-hash': [`sha256:${'ab'.repeat(32)}`],
      'enable-edge': false,
      ...flags,
    },
  })

function through(proxy: string): void {
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, undefined)
    vi.stubEnv(name.toUpperCase(), undefined)
  }
  vi.stubEnv('HTTPS_PROXY', proxy)
}

interface Outcome {
  readonly path: string
  readonly images: string[]
  readonly files: string[]
  readonly events: EventBody[]
  readonly warnings: string[]
}

async function online(
  world: World,
  settings: ReturnType<typeof init> | ReturnType<typeof worker> = init(),
  cache = temporaryFolder(),
  recipes = [world.recipe],
): Promise<Outcome> {
  const { events, ...reporting } = reporter()
  const result = await goOnline(settings, reporting, { cache, recipes })
  const path = String(result.settings.package.path)
  return {
    path,
    images: (result.manifest?.images ?? []).map(({ name }) => name).sort(),
    files: (result.manifest?.files ?? [])
      .filter(({ component }) => component !== 'sbom')
      .map((file) => file.path)
      .filter((each) => !each.startsWith('images/')),
    events,
    warnings: events.flatMap((event) => (event.type === 'warning' ? [event.text] : [])),
  }
}

const got = (world: World, part: string) =>
  world.requests.filter((line) => line.startsWith('GET ') && line.includes(part))

test('a master: all comes from the publishers through the proxy, and is a package that is right', async () => {
  const world = await makeWorld()
  const proxy = await makeProxy(world)
  through(proxy.url)
  const cache = temporaryFolder()
  const { path, images, files, events, warnings } = await online(world, init(), cache)
  expect(images).toEqual([...world.images.keys()].sort())
  expect(files).toEqual([
    'bin/kubeadm',
    'bin/kubectl',
    'bin/kubelet',
    'container/containerd',
    'container/ctr',
  ])
  expect(warnings).toEqual([])
  expect(events.find((event) => event.type === 'output')).toMatchObject({
    text: expect.stringMatching(
      /^No package was given: 10 files, .*are downloaded from dl\.k8s\.io, github\.com, registry\.k8s\.io, ghcr\.io$/,
    ),
  })
  expect(new Set(proxy.log)).toEqual(
    new Set(['dl.k8s.io', 'github.com', 'registry.k8s.io', 'ghcr.io'].map((host) => `CONNECT ${host}:443`)),
  )
  const staging = temporaryFolder()
  await unpackPackage(path, staging, reporter())
  expect(readFileSync(join(staging, 'container/ctr'), 'utf8')).toBe('ctr')

  // The second time nothing is asked for, and no server has to answer.
  through(NOWHERE)
  const asked = world.requests.length
  expect((await online(world, init(), cache)).images).toEqual(images)
  expect(world.requests).toHaveLength(asked)
  expect(readdirSync(join(cache, 'downloads'))).toEqual([])
})

test('a worker gets only what it runs', async () => {
  const world = await makeWorld()
  through((await makeProxy(world)).url)
  const { images } = await online(world, worker())
  expect(images).toEqual(['ghcr.io/flannel-io/flannel:v0.28.4', 'registry.k8s.io/pause:3.10'])
  expect(got(world, 'kube-apiserver')).toEqual([])
})

test('a dry run names each URL with its size and sum, and downloads nothing', async () => {
  const world = await makeWorld()
  through((await makeProxy(world)).url)
  const cache = join(temporaryFolder(), 'none')
  const { events, images } = await online(world, init({ 'dry-run': true }), cache)
  const targets = events.flatMap((event) => (event.type === 'change' ? [event.target] : []))
  expect(targets).toHaveLength(10)
  expect(targets[0]).toMatch(
    /^https:\/\/dl\.k8s\.io\/release\/v1\.33\.13\/bin\/linux\/\w+\/kubeadm \(195\.3 KiB, sha256:[0-9a-f]{64}\)$/,
  )
  expect(images).toHaveLength(3)
  expect(world.requests.filter((line) => /GET .*(bin\/linux|blobs)/.test(line))).toEqual([])
  expect(readdirSync(join(cache, '..'))).toEqual([])
})

test('--offline downloads nothing', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  const { events, path } = await online(world, init({ offline: true }))
  expect([path, events, world.requests]).toEqual(['undefined', [], []])
})

test('no server answers: one sentence that names the package, a mirror and a proxy; a dry run warns and goes on', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  await expect(online(world)).rejects.toMatchObject({
    class: 'package',
    message: 'no package was given, and 5 of 5 components cannot be downloaded: no server answers',
    fix: expect.stringMatching(/--install-pkg-path.*--mirror.*HTTPS_PROXY/),
    details: expect.arrayContaining([expect.stringContaining('https://dl.k8s.io: ')]),
  })
  const { warnings } = await online(world, init({ 'dry-run': true }))
  expect(warnings[0]).toContain('--install-pkg-path')
})

test('a proxy that wants a password is named, and the password of the variable is used and never shown', async () => {
  const world = await makeWorld()
  const proxy = await makeProxy(world, 'user:geheim')
  through(proxy.url)
  await expect(online(world)).rejects.toMatchObject({
    message: expect.stringContaining(`the proxy ${proxy.url} asks for a password`),
    fix: expect.stringContaining('HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT'),
  })
  through(proxy.url.replace('//', '//user:geheim@'))
  const { events } = await online(world)
  expect(JSON.stringify(events)).not.toContain('geheim')
})

test('mirrors: what one refuses or gives wrong comes from the next; nothing wrong is kept', async () => {
  const [bad, good] = [await makeWorld(), await makeWorld()]
  through(NOWHERE)
  bad.fault = (path, response) => {
    if (path.endsWith('/kubelet')) response.end('<html>blocked</html>')
    else if (path.endsWith('/kubectl')) response.writeHead(429).end()
    else if (path.includes('/blobs/')) response.writeHead(503).end()
    else return false
    return true
  }
  const settings = init({ mirror: [bad.url, good.url] })
  const { warnings, path } = await online(good, settings)
  expect(warnings.find((text) => text.includes('/kubelet'))).toMatch(
    /has the sha256 .* asking 127\.0\.0\.1:\d+ now$/,
  )
  expect(warnings.find((text) => text.includes('/kubectl'))).toContain('the server answers 429')
  expect(got(bad, '/kubeadm')).toHaveLength(1)
  expect(got(good, '/kubeadm')).toEqual([])
  await unpackPackage(path, temporaryFolder(), reporter())
})

test('when every mirror is wrong, each is named with what it did', async () => {
  const [one, two] = [await makeWorld(), await makeWorld()]
  through(NOWHERE)
  const html = (path: string, response: import('node:http').ServerResponse) => {
    if (!path.endsWith('/kubelet')) return false
    response.end('<html>blocked</html>')
    return true
  }
  one.fault = html
  two.fault = html
  const cache = temporaryFolder()
  await expect(online(one, init({ mirror: [one.url, two.url] }), cache)).rejects.toMatchObject({
    class: 'package',
    message: 'kubernetes v1.33.13 kubelet cannot be downloaded from any of its servers',
    details: expect.arrayContaining([
      expect.stringContaining(`${one.url}/release`),
      expect.stringContaining(`${two.url}/release`),
      expect.stringContaining('https://dl.k8s.io: '),
    ]),
  })
  expect(readdirSync(cache).filter((name) => name.startsWith('package-'))).toEqual([])
})

test('a download that broke off is gone on with by the next run', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  let broken = true
  world.fault = (path, response) => {
    if (!path.endsWith('/kubelet') || !broken) return false
    response.writeHead(200, { 'content-length': 200_000, etag: world.etagOf(path) })
    response.write(Buffer.alloc(50_000, 'kubelet of the publisher\n'), () =>
      setImmediate(() => response.destroy()),
    )
    return true
  }
  const cache = temporaryFolder()
  const settings = init({ mirror: [world.url] })
  await expect(online(world, settings, cache)).rejects.toThrow()
  broken = false
  await online(world, settings, cache)
  expect(world.requests.some((line) => /GET .*kubelet bytes=[1-9]\d*-$/.test(line))).toBe(true)
})

test('a mirror of one registry, --image-repository, and a login', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  const auth = join(temporaryFolder(), 'config.json')
  const host = new URL(world.url).host
  writeFileSync(
    auth,
    JSON.stringify({ auths: { [host]: { auth: Buffer.from('me:secret').toString('base64') } } }),
  )
  const asked: string[] = []
  world.fault = (path, response) => {
    if (path === '/token') asked.push(String(response.req.headers.authorization))
    return false
  }
  const flags = {
    mirror: [world.url],
    'registry-mirror': [`registry.example.org=${world.url}`],
    'image-repository': 'registry.example.org',
    'registry-auth-file': auth,
  }
  const { images } = await online(world, init(flags))
  // CoreDNS and others lie right below another repository; containerd's sandbox is the pause of it.
  expect(images).toEqual([
    'ghcr.io/flannel-io/flannel:v0.28.4',
    'registry.example.org/kube-apiserver:v1.33.13',
    'registry.example.org/pause:3.10',
  ])
  expect(new Set(asked)).toEqual(new Set([`Basic ${Buffer.from('me:secret').toString('base64')}`]))
})

test('a registry that wants a login says which flag brings it', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  world.fault = (path, response) => {
    if (path !== '/token') return false
    response.writeHead(401).end()
    return true
  }
  await expect(online(world, init({ mirror: [world.url] }))).rejects.toMatchObject({
    details: expect.arrayContaining([expect.stringMatching(/wants a login: .*--registry-auth-file/)]),
  })
  const broken = join(temporaryFolder(), 'config.json')
  writeFileSync(broken, 'password')
  await expect(online(world, init({ 'registry-auth-file': broken }))).rejects.toMatchObject({
    class: 'usage',
    message: `the registry credentials in ${broken} cannot be read: it is not JSON`,
  })
})

test('what has no checksum is not taken from a mirror, unless one says so', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  const unpinned = recipe(
    JSON.parse(JSON.stringify(world.components, (key, value) => (key === 'digest' ? undefined : value))),
  )
  await expect(online(world, init({ mirror: [world.url] }), temporaryFolder(), [unpinned])).rejects.toThrow(
    '3 of 5 components cannot be downloaded',
  )
  const settings = init({ mirror: [world.url], 'allow-unpinned': true })
  const { warnings } = await online(world, settings, temporaryFolder(), [unpinned])
  expect(warnings.join()).toContain('edgeadm has no checksum of kube-apiserver-image v1.33.13')
})

test('what no publisher has is refused at once', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  const ha = init({ ha: 'haproxy-keepalived', 'control-plane-endpoint': '10.0.0.100:8443' })
  await expect(online(world, ha)).rejects.toMatchObject({
    message: '--ha=haproxy-keepalived needs parts that no publisher has, and no package was given',
    fix: expect.stringContaining('--with load-balancer'),
  })
  expect(world.requests).toEqual([])
})

test('edge parts of their publisher leave holes open, which is said; --require-contained refuses', async () => {
  const world = await makeWorld()
  through((await makeProxy(world)).url)
  const refused = resolveInit(input({ 'require-contained': true }))
  await expect(
    online(world, refused, temporaryFolder(), ['kubernetes-1.33', 'kubeedge-1.23']),
  ).rejects.toMatchObject({
    class: 'package',
    details: expect.arrayContaining([expect.stringMatching(/certificate/)]),
  })
  expect(world.requests).toEqual([])
})

test('a cache that cannot be written is said', async () => {
  const world = await makeWorld()
  through(NOWHERE)
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  mkdirSync(join(temporaryFolder(), 'x'))
  await expect(online(world, init({ mirror: [world.url] }), join(file, 'cache'))).rejects.toMatchObject({
    class: 'preflight',
    message: expect.stringContaining('downloads cannot be kept in'),
  })
})
