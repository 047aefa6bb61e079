import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { askDns } from '../../src/network/ask-dns.ts'

const { signal } = new AbortController()
let socket: Socket | undefined
afterEach(() => socket?.close())

/** A DNS server that answers with a response code (RFC 1035, 4.1.1) and, for 0, with one address. */
async function server(codes: number[]): Promise<string> {
  const bound = createSocket('udp4')
  socket = bound
  bound.on('message', (question, from) => {
    const code = codes.length > 1 ? codes.shift() : codes[0]
    const header = Buffer.from(question.subarray(0, 12))
    header.writeUInt16BE(0x8180 | (code ?? 0), 2)
    header.writeUInt16BE(code === 0 ? 1 : 0, 6)
    header.writeUInt16BE(0, 8)
    header.writeUInt16BE(0, 10)
    let end = 12
    while (question[end] !== 0) end += (question[end] ?? 0) + 1
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 1])
    bound.send(
      Buffer.concat([header, question.subarray(12, end + 5), ...(code === 0 ? [answer] : [])]),
      from.port,
      from.address,
    )
  })
  bound.bind(0, '127.0.0.1')
  await once(bound, 'listening')
  return `127.0.0.1:${(bound.address() as AddressInfo).port}`
}

test('an answer ends it, also one that comes after failures', async () => {
  await askDns(
    { name: 'kubernetes.default.svc.cluster.local', server: await server([2, 2, 0]), limit: 10_000 },
    signal,
  )
})

test('what came instead is said', async () => {
  const refusing = await server([3])
  await expect(askDns({ name: 'no.such', server: refusing, limit: 0 }, signal)).rejects.toThrow(
    `${refusing} answers that there is no such name`,
  )
  socket?.close()
  socket = undefined
  await expect(askDns({ name: 'x.y', server: refusing, limit: 0 }, signal)).rejects.toThrow(
    /refuses the question|does not answer/,
  )
})
