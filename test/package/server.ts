import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** "METHOD path range?" of each request. */
  readonly requests: string[]
  /** Ends it before the test does. */
  close(): Promise<void>
}

const running: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

/** A server on loopback that ends with the test. */
export async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(
      [request.method, request.url, request.headers.range].filter((part) => part !== undefined).join(' '),
    )
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  running.push(close)
  return { close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** Serves files by path; anything else is 404. */
export async function serveFiles(files: Readonly<Record<string, Buffer>>): Promise<TestServer> {
  return serve((request, response) => {
    const content = files[new URL(request.url ?? '/', 'http://x').pathname]
    if (content === undefined) response.writeHead(404).end()
    else
      response
        .writeHead(200, { 'content-length': content.length })
        .end(request.method === 'HEAD' ? '' : content)
  })
}
