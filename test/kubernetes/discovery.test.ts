import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { caCertHash } from '../../src/kubernetes/ca-pins.ts'
import { type KeyedCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import { CLUSTER_INFO_PATH, discoverCluster } from '../../src/kubernetes/discovery.ts'
import { EdgeadmError } from '../../src/output/errors.ts'
import { type ApiServerOptions, startApiServer } from './api-server.ts'

const TOKEN = 'abcdef.0123456789abcdef'
let ca: KeyedCertificate
let other: KeyedCertificate
beforeAll(async () => {
  ca = await makeCa({ commonName: 'kubernetes', days: 10 })
  other = await makeCa({ commonName: 'kubernetes', days: 10 })
})

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const serve = async (options: Partial<ApiServerOptions> = {}) => {
  const server = await startApiServer({ ca, tokens: [TOKEN], ...options })
  closers.push(server.close)
  return server
}

const discover = (
  port: number,
  overrides: Partial<Parameters<typeof discoverCluster>[0]> = {},
  options: Partial<Parameters<typeof discoverCluster>[1]> = {},
) =>
  discoverCluster(
    {
      kind: 'token',
      token: TOKEN,
      endpoint: `127.0.0.1:${port}`,
      caCertHashes: [caCertHash(ca.certificatePem)],
      unsafeSkipCAVerification: false,
      ...overrides,
    },
    { signal: AbortSignal.timeout(10_000), timeout: 2000, tokenWait: 0, firstTokenWait: 0, ...options },
  )

const failure = async (work: Promise<unknown>): Promise<EdgeadmError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof EdgeadmError)) throw error ?? new Error('expected it to fail')
  return error
}

it('asks twice, the second time with TLS verified, and returns what the cluster says of itself', async () => {
  const server = await serve()
  const found = await discover(server.port)
  expect(found).toEqual({
    caPem: ca.certificatePem,
    server: 'https://control-plane:6443',
    kubeconfig: server.kubeconfig,
  })
  expect(server.paths).toEqual([CLUSTER_INFO_PATH, CLUSTER_INFO_PATH])
})

it('asks once where there is no hash to verify', async () => {
  const server = await serve()
  await discover(server.port, { caCertHashes: [], unsafeSkipCAVerification: true })
  expect(server.paths).toHaveLength(1)
})

it('waits a moment for the signature of a token that was just made', async () => {
  const bare = await serve({ tokens: [] })
  const signed = await serve()
  const late = await serve({
    body: (requests) => JSON.stringify({ data: requests < 2 ? bare.data : signed.data }),
  })
  await expect(discover(late.port, {}, { firstTokenWait: 3000 })).resolves.toMatchObject({
    server: 'https://control-plane:6443',
  })
})

describe('what is wrong with the token or the hash', () => {
  it('malformed: usage, before anything is asked', async () => {
    const error = await failure(discover(1, { token: 'abcdef.0123' }))
    expect(error).toMatchObject({
      class: 'usage',
      message: expect.stringContaining('the bootstrap token is invalid'),
    })
    expect(error.message).not.toContain('0123')
  })

  it('expired or unknown', async () => {
    const { port } = await serve({ tokens: [] })
    expect(await failure(discover(port))).toMatchObject({
      class: 'discovery',
      message: `The token with id abcdef has expired or is unknown to the master 127.0.0.1:${port}, which did not vouch for it within 0 s`,
    })
  })

  it.each([
    ['others are signed', ['ffffff.0123456789abcdef'], new Date()],
    ['the cluster is an old one', [], new Date(Date.now() - 86_400_000)],
  ])('is told soon where %s', async (_, tokens, created) => {
    const { data } = await serve({ tokens })
    const metadata = { creationTimestamp: created.toISOString() }
    const { port } = await serve({ body: () => JSON.stringify({ metadata, data }) })
    const begun = Date.now()
    const waits = { tokenWait: 600, firstTokenWait: 30_000 }
    expect((await failure(discover(port, {}, waits))).message).toContain('within 0.6 s')
    expect(Date.now() - begun).toBeLessThan(5000)
  })

  it('another secret', async () => {
    const { port } = await serve({ tokens: ['abcdef.ffffffffffffffff'] })
    expect((await failure(discover(port))).message).toContain("The token's secret does not fit")
  })

  it('another CA: says which hash there is', async () => {
    const { port } = await serve()
    const error = await failure(discover(port, { caCertHashes: [caCertHash(other.certificatePem)] }))
    expect(error.class).toBe('discovery')
    expect(error.message).toContain('is not the one that --discovery-token-ca-cert-hash names')
    expect(error.message).toContain(caCertHash(ca.certificatePem))
  })
})

describe('what is wrong with the master', () => {
  it('nothing listens', async () => {
    const { port, close } = await startApiServer({ ca, tokens: [] })
    await close()
    expect(await failure(discover(port))).toMatchObject({
      class: 'discovery',
      message: `The master 127.0.0.1:${port} refused the connection: no API server listens there`,
    })
  })

  const raw = async (onConnection: Parameters<typeof createServer>[1]) => {
    const server: Server = createServer(onConnection)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => sockets.add(socket))
    closers.push(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    return (server.address() as { port: number }).port
  }

  it('does not answer', async () => {
    const port = await raw((socket) => socket.on('error', () => {}))
    const error = await failure(discover(port, {}, { timeout: 300 }))
    expect(error.message).toBe(`The master 127.0.0.1:${port} did not answer within 0.3 s`)
  })

  it('speaks no TLS', async () => {
    const port = await raw((socket) => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    expect((await failure(discover(port))).message).toContain('does not speak TLS')
  })

  it('has a name that is unknown', async () => {
    const error = await failure(discover(1, { endpoint: 'master.invalid:6443' }))
    expect(error.message).toBe('The name of the master master.invalid:6443 cannot be resolved')
  })

  it('serves a certificate that the CA did not sign', async () => {
    const { port } = await serve({ signer: other })
    expect((await failure(discover(port))).message).toContain('something else answers there')
  })

  it('serves a certificate for another address', async () => {
    const { port } = await serve({ names: { ip: ['10.0.0.1'], dns: ['api.example'] } })
    const error = await failure(discover(port))
    expect(error.message).toContain('is not for this address')
    expect(error.fix).toContain('--apiserver-cert-extra-sans')
  })

  it.each([
    [40_000, 'behind'],
    [-3_600_000, 'ahead of'],
  ])('has a clock that is %d ms off', async (clock, direction) => {
    const { port } = await serve({ clock })
    const error = await failure(discover(port))
    expect(error.class).toBe('discovery')
    expect(error.message).toMatch(
      new RegExp(`^This machine's clock is \\d+ s ${direction} that of the master`),
    )
  })

  it('lets a clock be off by a few seconds', async () => {
    const { port } = await serve({ clock: 25_000 })
    await expect(discover(port)).resolves.toBeDefined()
  })

  it.each([
    [403, 'lets nobody read its cluster-info'],
    [404, 'is not the API server of a cluster that kubeadm made'],
  ])('answers %d', async (status, message) => {
    const { port } = await serve({ status })
    expect((await failure(discover(port))).message).toContain(message)
  })

  it.each([
    ['<html>', 'is not JSON'],
    ['{"data":{}}', 'has no kubeconfig'],
  ])('answers %s', async (body, message) => {
    const { port } = await serve({ body: () => body })
    expect((await failure(discover(port))).message).toContain(message)
  })

  it('says something else over verified TLS', async () => {
    const { data } = await serve()
    const { port } = await serve({
      body: (requests) => JSON.stringify({ data: { ...data, ...(requests > 1 && { kubeconfig: 'other' }) } }),
    })
    expect((await failure(discover(port))).message).toContain('was another one over verified TLS')
  })
})

it('stops when it is told to', async () => {
  const { port } = await serve({ tokens: [] })
  const stop = new AbortController()
  const work = discover(port, {}, { signal: stop.signal, firstTokenWait: 60_000 })
  setTimeout(() => stop.abort(new Error('stopped')), 100)
  await expect(work).rejects.toThrow()
})
