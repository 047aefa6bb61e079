/** The publishers on loopback: their files under their paths, their registries with tokens, and a proxy that leads there. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach } from 'vitest'
import { recipe, sha256, type TestImage, tarball, testImage } from './build/fixtures.ts'
import { temporaryFolder } from './synthetic.ts'

const HOSTS = ['dl.k8s.io', 'github.com', 'registry.k8s.io', 'ghcr.io', 'registry-1.docker.io']
const TOKEN = 'anonymous'

export interface World {
  /** Plain HTTP, for use as a mirror. */
  readonly url: string
  /** "METHOD host path range?" of each request, in order. */
  readonly requests: string[]
  /** Of a recipe that pins all of it. */
  readonly recipe: string
  /** Changes what a path is answered with; undefined: as it is. */
  fault: (path: string, response: ServerResponse) => boolean
  readonly components: object[]
  /** What a file is told apart by when a download goes on. */
  readonly etagOf: (path: string) => string
  readonly images: ReadonlyMap<string, TestImage>
}

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const K8S = 'https://dl.k8s.io/release/{version}/bin/linux/{arch}/{name}'
const CONTAINERD =
  'https://github.com/containerd/containerd/releases/download/{version}/containerd-static-{bare}-linux-{arch}.tar.gz'

export async function makeWorld(): Promise<World> {
  const files = new Map<string, Buffer>()
  const arch = process.arch === 'x64' ? 'amd64' : 'arm64'
  const programs = ['kubeadm', 'kubelet', 'kubectl']
  const pins: Record<string, string> = {}
  for (const name of programs) {
    const content = Buffer.alloc(200_000, `${name} of the publisher\n`)
    files.set(`/release/v1.33.13/bin/linux/${arch}/${name}`, content)
    pins[`${arch}/${name}`] = sha256(content)
  }
  const containerd = tarball({ 'bin/containerd': 'containerd', 'bin/ctr': 'ctr' })
  files.set(
    `/containerd/containerd/releases/download/v2.2.9/containerd-static-2.2.9-linux-${arch}.tar.gz`,
    containerd,
  )
  const images = new Map([
    ['registry.k8s.io/kube-apiserver:v1.33.13', testImage('apiserver')],
    // Images share layers: two of these are the same, and are downloaded at the same time.
    ['registry.k8s.io/pause:3.10', testImage('apiserver')],
    ['ghcr.io/flannel-io/flannel:v0.28.4', testImage('flannel')],
  ])
  const components = [
    {
      name: 'kubernetes',
      version: 'v1.33.13',
      licence: 'Apache-2.0',
      files: Object.fromEntries(programs.map((name) => [`bin/${name}`, name])),
      sources: [{ type: 'release', url: K8S, sha256: pins }],
    },
    {
      name: 'containerd',
      version: 'v2.2.9',
      licence: 'Apache-2.0',
      files: { 'container/containerd': 'containerd', 'container/ctr': 'ctr' },
      sources: [
        { type: 'release', url: CONTAINERD, sha256: { [arch]: sha256(containerd) }, member: 'bin/{name}' },
      ],
    },
    ...[...images].map(([name, image]) => ({
      name: `${/([^/]+):/.exec(name)?.[1]}-image`,
      version: name.slice(name.lastIndexOf(':') + 1),
      licence: 'Apache-2.0',
      image: name,
      sources: [{ type: 'image', reference: name, digest: image.index }],
    })),
  ]
  const world: { -readonly [K in keyof World]: World[K] } = {
    url: '',
    requests: [],
    recipe: recipe(components),
    fault: () => false,
    components,
    images,
    etagOf: (path) => `"${sha256(files.get(path) as Buffer)}"`,
  }
  const handler = (asked: IncomingMessage, response: ServerResponse) => {
    const host = String(asked.headers.host).replace(/:443$/, '')
    const { pathname } = new URL(asked.url ?? '/', 'http://x')
    world.requests.push(
      [asked.method, host, pathname, asked.headers.range].filter((part) => part !== undefined).join(' '),
    )
    if (world.fault(pathname, response)) return
    if (pathname === '/') response.end()
    else if (pathname === '/token') response.end(JSON.stringify({ token: TOKEN }))
    else if (pathname.startsWith('/v2/')) fromRegistry(images, asked, response)
    else send(files.get(pathname), asked, response)
  }
  world.url = `http://127.0.0.1:${await listen(createServer(handler))}`
  const { cert, key } = certificate()
  tlsPort = await listen(createTlsServer({ cert, key }, handler) as unknown as Server)
  return world as World
}

let tlsPort = 0

function fromRegistry(images: World['images'], asked: IncomingMessage, response: ServerResponse): void {
  if (asked.headers.authorization !== `Bearer ${TOKEN}`) {
    const secure = 'encrypted' in asked.socket
    const realm = `${secure ? 'https' : 'http'}://${asked.headers.host}/token`
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="world"` }).end()
    return
  }
  const { pathname } = new URL(asked.url ?? '/', 'http://x')
  const [, repository, , reference] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? []
  for (const [name, image] of images) {
    if (!name.includes(`/${repository}:`)) continue
    const digest = name.endsWith(`:${reference}`) ? image.index : String(reference)
    const bytes = image.blobs.get(digest)
    if (bytes !== undefined) {
      send(bytes, asked, response)
      return
    }
  }
  response.writeHead(404).end()
}

function send(content: Buffer | undefined, asked: IncomingMessage, response: ServerResponse): void {
  if (content === undefined) {
    response.writeHead(404).end()
    return
  }
  const etag = `"${sha256(content)}"`
  const from = /^bytes=(\d+)-$/.exec(asked.headers.range ?? '')?.[1]
  const resume = from !== undefined && asked.headers['if-range'] === etag
  const body = content.subarray(resume ? Number(from) : 0)
  response.writeHead(resume ? 206 : 200, { 'content-length': body.length, etag })
  response.end(asked.method === 'HEAD' ? '' : body)
}

/** A proxy that leads every host to the world; it logs what it is asked for. */
export async function makeProxy(world: World, password?: string): Promise<{ url: string; log: string[] }> {
  const log: string[] = []
  const wanted = password === undefined ? undefined : `Basic ${Buffer.from(password).toString('base64')}`
  const server = createServer((asked, response) => {
    log.push(`${asked.method} ${asked.url}`)
    if (wanted !== undefined && asked.headers['proxy-authorization'] !== wanted) {
      response.writeHead(407).end()
      return
    }
    const { pathname, search } = new URL(asked.url ?? '/')
    const target = new URL(world.url)
    const on = request(
      {
        host: target.hostname,
        port: target.port,
        path: pathname + search,
        method: asked.method,
        headers: asked.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    asked.pipe(on)
  })
  server.on('connect', (asked, socket) => {
    log.push(`CONNECT ${asked.url}`)
    if (wanted !== undefined && asked.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const on = connect(tlsPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      on.pipe(socket).pipe(on)
    })
    on.on('error', () => socket.destroy())
    socket.on('error', () => on.destroy())
  })
  return { url: `http://127.0.0.1:${await listen(server)}`, log }
}

let made: { cert: string; key: string } | undefined

/** One for all publishers, which this process trusts from now on. */
function certificate(): { cert: string; key: string } {
  if (made !== undefined) return made
  const folder = temporaryFolder()
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const names = HOSTS.map((host) => `DNS:${host}`).join(',')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=world', '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  )
  made = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  setDefaultCACertificates([...getCACertificates('default'), made.cert])
  return made
}
