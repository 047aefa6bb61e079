import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fetchPackage } from '../../src/package/fetch.ts'
import { serve } from './server.ts'
import { reporter, temporaryFolder } from './synthetic.ts'

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251))
const SHA256 = createHash('sha256').update(CONTENT).digest('hex')

/** Serves CONTENT with ranges; `limit` cuts the connection after that many bytes. */
function ranged(options: { etag: string; limit?: () => number | undefined }) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
    const resume = from !== undefined && request.headers['if-range'] === options.etag
    const body = CONTENT.subarray(resume ? Number(from) : 0)
    response.writeHead(resume ? 206 : 200, { 'content-length': body.length, etag: options.etag })
    const limit = options.limit?.()
    if (limit === undefined) response.end(body)
    else response.write(body.subarray(0, limit), () => setImmediate(() => response.destroy()))
  }
}

test('a connection that breaks is gone on with where it stopped', async () => {
  let attempts = 0
  const server = await serve(ranged({ etag: '"1"', limit: () => (++attempts <= 2 ? 100_000 : undefined) }))
  const dest = join(temporaryFolder(), 'package')
  const { events, ...reporting } = reporter()
  await fetchPackage(`${server.url}/p`, dest, { ...reporting, sha256: SHA256 })
  expect(readFileSync(dest).equals(CONTENT)).toBe(true)
  expect(server.requests).toEqual(['GET /p', 'GET /p bytes=100000-', 'GET /p bytes=200000-'])
  expect(events.at(-1)).toMatchObject({ type: 'progress', done: CONTENT.length, total: CONTENT.length })
  expect(existsSync(`${dest}.part`)).toBe(false)
})

test('what an earlier run left is used, unless the server has another file by now', async () => {
  const dest = join(temporaryFolder(), 'package')
  writeFileSync(`${dest}.part`, CONTENT.subarray(0, 1000))
  writeFileSync(`${dest}.part.id`, '"1"')
  const same = await serve(ranged({ etag: '"1"' }))
  await fetchPackage(`${same.url}/p`, dest, reporter())
  expect(same.requests).toEqual(['GET /p bytes=1000-'])
  expect(readFileSync(dest).equals(CONTENT)).toBe(true)

  const next = join(temporaryFolder(), 'package')
  writeFileSync(`${next}.part`, 'something old')
  writeFileSync(`${next}.part.id`, '"0"')
  await fetchPackage(`${same.url}/p`, next, reporter())
  expect(readFileSync(next).equals(CONTENT)).toBe(true)
})

test('a file that is there and right is not fetched again', async () => {
  const server = await serve(ranged({ etag: '"1"' }))
  const dest = join(temporaryFolder(), 'package')
  writeFileSync(dest, CONTENT)
  await fetchPackage(`${server.url}/p`, dest, { ...reporter(), sha256: SHA256 })
  expect(server.requests).toEqual([])
})

test('another sha256 is refused and nothing stays', async () => {
  const server = await serve(ranged({ etag: '"1"' }))
  const dest = join(temporaryFolder(), 'package')
  const fetched = fetchPackage(`${server.url}/p`, dest, { ...reporter(), sha256: 'a'.repeat(64) })
  await expect(fetched).rejects.toThrow(`has the sha256 ${SHA256} instead of aaaa`)
  expect([dest, `${dest}.part`, `${dest}.part.id`].some(existsSync)).toBe(false)
})

test('404 is final, 503 is tried again, no server is said in one sentence', async () => {
  let answers = 0
  const server = await serve((request, response) => {
    answers += 1
    if (request.url === '/missing') response.writeHead(404).end()
    else if (answers < 3) response.writeHead(503).end()
    else response.end('ok')
  })
  const dest = join(temporaryFolder(), 'package')
  await fetchPackage(`${server.url}/p`, dest, reporter())
  expect(readFileSync(dest, 'utf8')).toBe('ok')
  await expect(fetchPackage(`${server.url}/missing`, `${dest}2`, reporter())).rejects.toThrow(
    'the server answers 404',
  )
  expect(server.requests.filter((line) => line.includes('missing'))).toHaveLength(1)
  const refused = fetchPackage('http://127.0.0.1:1/p', `${dest}3`, { ...reporter(), retries: 0 })
  await expect(refused).rejects.toThrow(/^http:\/\/127\.0\.0\.1:1\/p cannot be downloaded: .*ECONNREFUSED/)
})

test('Ctrl-C stops it at once and keeps the part', async () => {
  const server = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 1000, etag: '"1"' })
    response.write('begin '.repeat(20))
  })
  const { abort, signal } = reporter()
  const dest = join(temporaryFolder(), 'package')
  const reason = new Error('interrupted')
  const emit = () => abort.abort(reason)
  await expect(fetchPackage(`${server.url}/p`, dest, { emit, signal })).rejects.toBe(reason)
  expect(readFileSync(`${dest}.part.id`, 'utf8')).toBe('"1"')
})

test('without a sha256 a rerun asks whether the file is still the same, and uses it where nobody answers', async () => {
  let etag = '"1"'
  const server = await serve((request, response) => {
    const isSame = request.headers['if-none-match'] === etag
    response.writeHead(isSame ? 304 : 200, { etag }).end(isSame ? undefined : `content of ${etag}`)
  })
  const dest = join(temporaryFolder(), 'package')
  const fetchIt = async (): Promise<string[]> => {
    const { events, ...reporting } = reporter()
    await fetchPackage(`${server.url}/p`, dest, { ...reporting, retries: 0 })
    return events.flatMap((event) => (event.type === 'warning' ? [event.text] : []))
  }
  await fetchIt()
  writeFileSync(dest, 'content that was kept')
  expect(await fetchIt()).toEqual([])
  expect(readFileSync(dest, 'utf8')).toBe('content that was kept')
  etag = '"2"'
  await fetchIt()
  expect(readFileSync(dest, 'utf8')).toBe('content of "2"')
  await server.close()
  expect(await fetchIt()).toEqual([expect.stringContaining('cannot be reached, so what was downloaded')])
  expect(readFileSync(dest, 'utf8')).toBe('content of "2"')
})
