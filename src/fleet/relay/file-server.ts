/**
 * On the host of a site that has the files: gives them to the site's other hosts over HTTPS. Who has no token gets nothing;
 * a token is for one file and for one receiver, who may go on where the connection broke, and it ends with the last byte.
 */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, read as readCallback } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { KeyedCertificate } from '../../kubernetes/certificates.ts'

interface Grant {
  readonly fd: number
  readonly size: number
  /** Address of the receiver, from its first request on. */
  peer?: string
  /** The transfer that is under way. */
  current?: ServerResponse
}

export interface Served {
  readonly port: number
  /** The CA that signed the server's certificate, and nothing else. */
  readonly caPem: string
}

/** Milliseconds. The command ends it when its input ends; these are for a line that died without a word. */
const IDLE = 10 * 60_000
const LIFETIME = 2 * 3_600_000
/** Milliseconds in which a request has to arrive, and after which a silent connection is closed. */
const REQUEST = 10_000
const SILENCE = 60_000
const CONNECTIONS = 64
/** Bytes. */
const CHUNK = 1 << 18
/** Of an account that owns nothing. */
const NOBODY = 65_534

export class FileServer {
  readonly #files = new Map<string, number>()
  /** By the token's hash: how long a look-up takes tells nothing about a token. */
  readonly #grants = new Map<string, Grant>()
  readonly #address: string
  readonly #caPem: string
  readonly #server: Server
  #idle: NodeJS.Timeout | undefined
  #lifetime: NodeJS.Timeout | undefined

  /**
   * Opens the files, which may be root's alone, and makes a certificate for the address.
   * @param address the one that it will listen on
   */
  static async create(address: string, paths: readonly string[]): Promise<FileServer> {
    const { makeCa, issueCertificate } = await import('../../kubernetes/certificates.ts')
    // The CA's key goes with this function: nobody can sign a second certificate.
    const ca = await makeCa({ commonName: 'edgeadm relay', days: 1 })
    const own = await issueCertificate(ca, {
      commonName: address,
      names: { ip: [address] },
      usages: ['server'],
      days: 1,
    })
    return new FileServer(address, paths, own, ca.certificatePem)
  }

  private constructor(address: string, paths: readonly string[], own: KeyedCertificate, caPem: string) {
    for (const path of paths) this.#files.set(path, openSync(path, 'r'))
    this.#address = address
    this.#caPem = caPem
    this.#server = createServer(
      {
        cert: own.certificatePem,
        key: own.keyPem,
        minVersion: 'TLSv1.2',
        headersTimeout: REQUEST,
        requestTimeout: REQUEST,
        handshakeTimeout: REQUEST,
        maxHeaderSize: 4096,
      },
      (request, response) => void this.#answer(request, response),
    )
    this.#server.maxConnections = CONNECTIONS
    this.#server.timeout = SILENCE
  }

  /** What others can reach does not run as root. */
  dropRights(): void {
    if (process.getuid?.() !== 0) return
    process.setgroups?.([])
    process.setgid?.(NOBODY)
    process.setuid?.(NOBODY)
  }

  /** Listens on the one address, on a free port. */
  async listen(): Promise<Served> {
    this.#server.listen(0, this.#address)
    await once(this.#server, 'listening')
    this.#lifetime = setTimeout(() => void this.stop(), LIFETIME)
    this.#idle = setTimeout(() => void this.stop(), IDLE)
    return { port: (this.#server.address() as AddressInfo).port, caPem: this.#caPem }
  }

  /** @param path one of the files; @param token secret, for one receiver */
  grant(token: string, path: string): void {
    const fd = this.#files.get(path)
    if (fd === undefined) throw new Error(`${path} is not one of the files`)
    this.#grants.set(hashOf(token), { fd, size: fstatSync(fd).size })
    this.#idle?.refresh()
  }

  /** Ends it and all transfers. */
  async stop(): Promise<void> {
    clearTimeout(this.#idle)
    clearTimeout(this.#lifetime)
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
    for (const fd of this.#files.values()) closeSync(fd)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('connection', 'close')
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const key = hashOf(token)
    const grant = this.#grants.get(key)
    const peer = request.socket.remoteAddress ?? ''
    // All are refused alike: nobody learns what was wrong.
    if (grant === undefined || (grant.peer ?? peer) !== peer || request.method !== 'GET') {
      response.writeHead(403).end()
      return
    }
    grant.peer = peer
    const { range } = request.headers
    const start = range === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? Number.NaN)
    if (!(start < grant.size)) {
      response.writeHead(416).end()
      return
    }
    // Who comes again has lost the connection before.
    grant.current?.destroy()
    grant.current = response
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': grant.size - start,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${grant.size - 1}/${grant.size}` }),
    })
    try {
      await pipeline(contentOf(grant.fd, start), response)
      this.#grants.delete(key)
    } catch {
      // The receiver is gone, or this is ending. It may come again, and its token is still good.
    }
    this.#idle?.refresh()
  }
}

const read = promisify(readCallback)

/** A stream of Node's would close the file at its end, and the next receiver needs it. */
async function* contentOf(fd: number, start: number): AsyncGenerator<Buffer> {
  for (let position = start; ; ) {
    const { bytesRead, buffer } = await read(fd, Buffer.allocUnsafe(CHUNK), 0, CHUNK, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
