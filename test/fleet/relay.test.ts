/** What a host of a site gives to the others: the real server, and what receivers run, on loopback. */

import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { FileServer, type Served } from '../../src/fleet/relay/file-server.ts'
import { ask } from '../../src/network/request.ts'
import { templateText } from '../../src/templates.ts'

vi.setConfig({ testTimeout: 120_000 })

const SIZE = 3_000_000
const content = randomBytes(SIZE)
const sha256 = createHash('sha256').update(content).digest('hex')
const folder = mkdtempSync(join(tmpdir(), 'edgeadm-relay-'))
const file = join(folder, 'package')
const edgeadm = join(folder, 'edgeadm')
/** What a host has that has no curl. */
const bare = join(folder, 'bin')

beforeAll(() => {
  writeFileSync(file, content)
  const entry = fileURLToPath(new URL('../../bin/edgeadm.ts', import.meta.url))
  writeFileSync(edgeadm, `#!/bin/sh\nexec ${process.execPath} ${entry} "$@"\n`, { mode: 0o755 })
  mkdirSync(bare)
  const programs = 'sh mkdir dirname flock sha256sum cut mktemp cat rm stat date chmod mv'.split(' ')
  for (const name of programs) symlinkSync(`/usr/bin/${name}`, join(bare, name))
})
afterAll(() => rmSync(folder, { recursive: true }))

const servers: FileServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

async function serve(path = file): Promise<Served & { server: FileServer; url: string }> {
  const server = await FileServer.create('127.0.0.1', [path])
  servers.push(server)
  const served = await server.listen()
  return { ...served, server, url: `https://127.0.0.1:${served.port}/` }
}

/** One request, as an attacker would make it who has the CA. */
const get = (url: string, caPem: string, bearerToken?: string, range?: string) =>
  ask({
    url,
    caPem,
    bearerToken,
    signal: new AbortController().signal,
    ...(range === undefined ? {} : { headers: { range } }),
  })

let hosts = 0
/** Runs fetch.sh as `apply` has a host do it. @param part what is there already */
async function fetch(
  given: { readonly url: string; readonly caPem: string; readonly token: string },
  { part, path = process.env.PATH, seconds = 60 }: { part?: Buffer; path?: string; seconds?: number } = {},
) {
  hosts += 1
  const own = join(folder, `host-${hosts}`)
  const target = join(own, 'package', sha256)
  mkdirSync(join(own, 'package'), { recursive: true })
  if (part !== undefined) writeFileSync(`${target}.part`, part)
  const args = [target, sha256, '600', `${SIZE}`, own, edgeadm, `${seconds}`]
  const child = spawn('/bin/sh', ['-c', templateText('fleet/fetch.sh'), 'fetch', ...args], {
    env: { PATH: path },
  })
  child.stdin.end(`${given.url}\n${given.token}\n${given.caPem}`)
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { exitCode: exitCode as number, stderr, target, own }
}

test('without a token that was granted nothing is given, and a wrong path or method is no way in', async () => {
  const { server, url, caPem } = await serve()
  server.grant('right', file)
  for (const token of [undefined, 'wrong', 'righ', 'RIGHT'])
    expect((await get(url, caPem, token)).status).toBe(403)
  const post = await ask({
    url,
    caPem,
    bearerToken: 'right',
    method: 'POST',
    body: Buffer.from('x'),
    signal: new AbortController().signal,
  })
  expect(post.status).toBe(403)
  expect(() => server.grant('other', '/etc/shadow')).toThrow('is not one of the files')
  // The path does not matter: the token says which file it is.
  const answer = await get(`${url}../../etc/shadow`, caPem, 'right')
  expect(answer.bytes.equals(content)).toBe(true)
})

test('a file goes to several, one after the other and at once', async () => {
  const { server, url, caPem } = await serve()
  const one = async (token: string) => {
    server.grant(token, file)
    return (await get(url, caPem, token)).bytes.equals(content)
  }
  expect([await one('a'), await one('b'), ...(await Promise.all(['c', 'd', 'e'].map(one)))]).toEqual(
    Array(5).fill(true),
  )
})

test('a token is used up with the last byte, and before that it is good for going on', async () => {
  const { server, url, caPem } = await serve()
  server.grant('token', file)
  const rest = await get(url, caPem, 'token', `bytes=${SIZE - 5}-`)
  expect([rest.status, rest.bytes.equals(content.subarray(-5))]).toEqual([206, true])
  await vi.waitFor(async () => expect((await get(url, caPem, 'token')).status).toBe(403))
})

test('a token belongs to who used it first', async () => {
  const { server, url, caPem } = await serve()
  server.grant('token', file)
  expect((await get(url, caPem, 'token', 'bytes=9999999-')).status).toBe(416)
  const { status } = await fetchFrom('127.0.0.2', url, caPem, 'token')
  expect(status).toBe(403)
  expect((await get(url, caPem, 'token')).status).toBe(200)
})

test('a server with another certificate is not told the token', async () => {
  const [real, other] = [await serve(), await serve()]
  other.server.grant('token', file)
  await expect(get(other.url, real.caPem, 'token')).rejects.toThrow(/certificate/)
  // Nobody has used it: it is still free.
  expect((await get(other.url, other.caPem, 'token')).status).toBe(200)
})

describe.each([
  ['curl', undefined],
  ['edgeadm', bare],
])('receivers with %s', (_name, path) => {
  const options = path === undefined ? {} : { path }

  test('get the file, whole and under its name, and leave nothing else', async () => {
    const { server, url, caPem } = await serve()
    server.grant('token', file)
    const { exitCode, stderr, target, own } = await fetch({ url, caPem, token: 'token' }, options)
    expect(exitCode, stderr).toBe(0)
    expect(readFileSync(target).equals(content)).toBe(true)
    expect(statSync(target).mode & 0o777).toBe(0o600)
    expect(readdirSync(own, { recursive: true }).sort()).toEqual(['package', `package/${sha256}`])
  })

  test('go on with what is there', async () => {
    const { server, url, caPem } = await serve()
    server.grant('token', file)
    const part = content.subarray(0, SIZE - 1000)
    const { exitCode, stderr, target } = await fetch({ url, caPem, token: 'token' }, { ...options, part })
    expect(exitCode, stderr).toBe(0)
    expect(readFileSync(target).equals(content)).toBe(true)
  })

  test('are refused with a token that is used up, and keep what they have', async () => {
    const { url, caPem } = await serve()
    const part = content.subarray(0, 1000)
    const { exitCode, target } = await fetch({ url, caPem, token: 'used' }, { ...options, part })
    expect(exitCode).toBe(69)
    expect(statSync(`${target}.part`).size).toBe(1000)
  })

  test('trust the one CA only', async () => {
    const [real, other] = [await serve(), await serve()]
    other.server.grant('token', file)
    const { exitCode, stderr, target } = await fetch(
      { url: other.url, caPem: real.caPem, token: 'token' },
      options,
    )
    expect(exitCode, stderr).toBe(69)
    expect(existsSync(target)).toBe(false)
  })
})

test('what arrived is not taken if it is something else', async () => {
  const forged = join(folder, 'forged')
  writeFileSync(forged, Buffer.concat([content.subarray(1), Buffer.from([0])]))
  const { server, url, caPem } = await serve(forged)
  server.grant('token', forged)
  const { exitCode, target } = await fetch({ url, caPem, token: 'token' })
  expect(exitCode).toBe(65)
  expect([existsSync(target), existsSync(`${target}.part`)]).toEqual([false, false])
})

test('the command serves without rights, and ends with its input', async () => {
  const child = spawn(edgeadm, ['package', 'serve', '--address=127.0.0.1', '--output=json', file])
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const { data } = JSON.parse(line) as { data: Served }
  child.stdin.write(`token ${file}\n`)
  const url = `https://127.0.0.1:${data.port}/`
  await vi.waitFor(async () => expect((await get(url, data.caPem, 'token')).status).toBe(200))
  if (process.getuid?.() === 0) {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
    expect(status).toMatch(/^Groups:\s*$/m)
    expect(status).toMatch(/^CapEff:\t0+$/m)
  }
  child.stdin.end()
  const [exitCode] = (await once(child, 'exit')) as [number]
  expect(exitCode).toBe(0)
  await expect(get(url, data.caPem, 'token')).rejects.toThrow(/ECONNREFUSED/)
})

/** A request from another address of this machine. */
async function fetchFrom(
  localAddress: string,
  url: string,
  caPem: string,
  token: string,
): Promise<{ status: number }> {
  const { request } = await import('node:https')
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number }>()
  request(url, { localAddress, ca: caPem, headers: { authorization: `Bearer ${token}` } }, (response) => {
    resolve({ status: response.statusCode ?? 0 })
    response.resume()
  })
    .on('error', reject)
    .end()
  return promise
}
