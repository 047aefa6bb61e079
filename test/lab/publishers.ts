/**
 * A server in a lab's network that stands for the publishers: the files of an unpacked package by their names, its images as a
 * registry. Prints "ADDRESS METHOD PATH" for each request. `node publishers.ts FOLDER ADDRESS PORT`; ends with its standard input.
 */

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { basename, join } from 'node:path'

const [folder = '', address = '', port = ''] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
  files: { path: string }[]
}
const files = new Map(manifest.files.map(({ path }) => [basename(path), join(folder, path)]))

function pathOf(url: string): string | undefined {
  const blob = /^\/v2\/.+\/(?:manifests|blobs)\/sha256:([0-9a-f]{64})$/.exec(url)?.[1]
  return blob === undefined ? files.get(url.slice(1)) : join(folder, 'images/blobs/sha256', blob)
}

function send(path: string, range: string | undefined, isHead: boolean, response: ServerResponse): void {
  const { size } = statSync(path)
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': size - start,
    etag: `"${basename(path)}-${size}"`,
  })
  if (isHead) response.end()
  else createReadStream(path, { start }).pipe(response)
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://x')
  process.stdout.write(`${request.socket.remoteAddress} ${request.method} ${pathname}\n`)
  const path = pathOf(pathname)
  if (pathname === '/') response.end()
  else if (path === undefined || !existsSync(path)) response.writeHead(404).end()
  else send(path, request.headers.range, request.method === 'HEAD', response)
})
server.listen(Number(port), address, () => process.stdout.write('listening\n'))
process.stdin.resume().on('end', () => process.exit(0))
