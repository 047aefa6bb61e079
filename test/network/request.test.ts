import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { issueCertificate, type KeyedCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import { explain } from '../../src/network/no-answer.ts'
import { ask, NoAnswer, type Question } from '../../src/network/request.ts'

let ca: KeyedCertificate
let serving: KeyedCertificate
beforeAll(async () => {
  ca = await makeCa({ commonName: 'ca', days: 1 })
  serving = await issueCertificate(ca, {
    commonName: 'server',
    names: { ip: ['127.0.0.1'] },
    usages: ['server'],
    days: 1,
  })
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A server with TLS for real; it asks for a client's certificate and takes any that the CA signed, or none. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(
    {
      cert: serving.certificatePem,
      key: serving.keyPem,
      ca: ca.certificatePem,
      requestCert: true,
      rejectUnauthorized: false,
    },
    listener,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const question = (url: string, more: Partial<Question> = {}): Question => ({
  url,
  caPem: ca.certificatePem,
  signal: AbortSignal.timeout(10_000),
  timeout: 2000,
  ...more,
})

const failure = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('expected it to fail')
    },
    (error: unknown) => error as NoAnswer,
  )

test('a GET may have a body, and the token goes into its header', async () => {
  const url = await serve((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () =>
      response.end(
        `${request.method} ${request.headers.authorization} ${Buffer.concat(chunks).toString('hex')}`,
      ),
    )
  })
  const { status, body } = await ask(question(url, { body: new Uint8Array([0, 255]), bearerToken: 'secret' }))
  expect([status, body]).toEqual([200, 'GET Bearer secret 00ff'])
})

test('the client shows its certificate', async () => {
  const url = await serve((request, response) => {
    const socket = request.socket as TLSSocket
    response.end(`${socket.authorized} ${socket.getPeerCertificate().subject.CN}`)
  })
  const { certificatePem: cert, keyPem: key } = await issueCertificate(ca, {
    commonName: 'client',
    usages: ['client'],
    days: 1,
  })
  expect((await ask(question(url, { client: { cert, key } }))).body).toBe('true client')
})

test.each([301, 401, 503])('status %i is an answer, asked for once', async (status) => {
  let requests = 0
  const url = await serve((_, response) => {
    requests++
    response.writeHead(status, { location: '/elsewhere' }).end('why')
  })
  expect(await ask(question(url))).toMatchObject({ status, body: 'why' })
  expect(requests).toBe(1)
})

test('an answer that is too long is refused before all of it has come', async () => {
  const url = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65536)));
    }
    response.on('drain', more)
    more()
  })
  const error = await failure(ask(question(url, { maximum: 1_000_000 })))
  expect(error.message).toBe('the answer has more than 1000000 bytes')
})

test('a server that begins an answer and does not end it is out of time', async () => {
  const url = await serve((_, response) => {
    response.write('a beginning')
  })
  const error = await failure(ask(question(url, { timeout: 300 })))
  expect([error.code, error.message]).toEqual(['ETIMEDOUT', 'no answer within 0.3 s'])
})

test("the caller's signal ends it with the caller's reason", async () => {
  const url = await serve(() => {})
  const abort = new AbortController()
  const asked = failure(ask(question(url, { signal: abort.signal })))
  setImmediate(() => abort.abort(new Error('Ctrl-C')))
  expect((await asked).message).toBe('Ctrl-C')
})

test('no proxy of the environment is used', async () => {
  const url = await serve((_, response) => response.end('direct'))
  vi.stubEnv('https_proxy', 'http://127.0.0.1:1')
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
  vi.stubEnv('NODE_USE_ENV_PROXY', '1')
  expect((await ask(question(url))).body).toBe('direct')
})

test('another CA than the known one is not talked to; the error says what is wrong', async () => {
  const url = await serve((_, response) => response.end('never'))
  const other = await makeCa({ commonName: 'other', days: 1 })
  const error = await failure(ask(question(url, { caPem: other.certificatePem })))
  expect(error).toBeInstanceOf(NoAnswer)
  const server = {
    name: 'CloudCore',
    program: 'CloudCore',
    definite: 'CloudCore',
    where: 'here:1',
    addName: '',
    showDates: '',
    port: '',
  }
  expect(explain(error, server).message).toMatch(
    /^CloudCore at here:1 has a certificate that the cluster's CA did not sign/,
  )
})
