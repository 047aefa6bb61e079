/** The controller's line to a host: a proxy that counts, delays, or breaks what goes through it. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface LineOptions {
  /** Milliseconds for the way there and back. */
  readonly roundTrip?: number
  /** Resets the connection after so many bytes of the host; only the first so many connections. */
  readonly breakAfter?: { readonly bytes: number; readonly connections: number }
  /** Takes the connection, and never says anything. */
  readonly silent?: boolean
}

export class Line {
  /** Bytes that left the controller, and that came to it. */
  sent = 0
  received = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #connections = 0

  /** @param target of the host */
  static async open(
    target: { readonly address: string; readonly port: number },
    options: LineOptions = {},
  ): Promise<Line> {
    const line = new Line(target, options)
    await new Promise<void>((resolve) => line.#server.listen(0, target.address, resolve))
    return line
  }

  private constructor(
    { address, port }: { readonly address: string; readonly port: number },
    { roundTrip = 0, breakAfter, silent = false }: LineOptions,
  ) {
    this.#server = createServer((near) => {
      this.#keep(near)
      this.#connections += 1
      if (silent) return
      const far = connect(port, address)
      this.#keep(far)
      const isToBreak = breakAfter !== undefined && this.#connections <= breakAfter.connections
      let left = isToBreak ? breakAfter.bytes : Number.POSITIVE_INFINITY
      if (left === 0) {
        near.resetAndDestroy()
        far.destroy()
        return
      }
      pass(near, far, roundTrip / 2, (bytes) => {
        this.sent += bytes
      })
      pass(far, near, roundTrip / 2, (bytes) => {
        this.received += bytes
        left -= bytes
        if (left <= 0) {
          near.resetAndDestroy()
          far.destroy()
        }
      })
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

/** So many bytes may be under way, as with a real line: a sender that is faster waits. */
const UNDER_WAY = 4 << 20

function pass(from: Socket, to: Socket, delay: number, count: (bytes: number) => void): void {
  let underWay = 0
  const later = (work: () => void) => (delay === 0 ? work() : void setTimeout(work, delay))
  from.on('data', (chunk) => {
    count(chunk.length)
    underWay += chunk.length
    if (underWay > UNDER_WAY) from.pause()
    later(() => {
      if (to.destroyed) return
      to.write(chunk, () => {
        underWay -= chunk.length
        if (underWay <= UNDER_WAY) from.resume()
      })
    })
  })
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.destroy()))
}
