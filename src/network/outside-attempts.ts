/** Connections to addresses outside of the cluster's networks: what nftables noted of them, and who they are told apart by. */

import ipaddr from 'ipaddr.js'

/** One connection: a packet that is sent again is none of its own. */
export interface Attempt {
  readonly source: string
  readonly sourcePort: number
  readonly protocol: string
  readonly destination: string
  readonly port: number
}

/** Never outside: this machine, its links, and what goes to all of a network. */
export const LOCAL4 = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32']
export const LOCAL6 = ['::/127', 'fe80::/10', 'ff00::/8']

/** @param json what `nft --json list table` prints for templates/network/outside-traffic.nft */
export function parseAttempts(json: string): Attempt[] {
  const { nftables } = JSON.parse(json) as {
    nftables: { set?: { name: string; elem?: { concat: [string, number, string, string, number] }[] } }[]
  }
  return nftables.flatMap(({ set }) =>
    set?.name.startsWith('attempts') === true
      ? (set.elem ?? []).map(({ concat: [source, sourcePort, protocol, destination, port] }) => ({
          source,
          sourcePort,
          protocol,
          destination,
          port,
        }))
      : [],
  )
}

/** Addresses and networks as networks; the rest (names) is left out. */
export function networksIn(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    if (ipaddr.isValidCIDR(text)) {
      const [address, length] = ipaddr.parseCIDR(text)
      const type = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
      return [`${type.networkAddressFromCIDR(text).toString()}/${length}`]
    }
    if (!ipaddr.isValid(text)) return []
    return [`${text}/${ipaddr.parse(text).kind() === 'ipv4' ? 32 : 128}`]
  })
}

export function familyOf(network: string): 4 | 6 {
  return network.includes(':') ? 6 : 4
}

/** @param networks as {@link networksIn} gives them */
export function isInside(address: string, networks: readonly string[]): boolean {
  const parsed = ipaddr.process(address)
  return networks.some((text) => {
    const network = ipaddr.parseCIDR(text)
    return network[0].kind() === parsed.kind() && parsed.match(network)
  })
}

/** `curl (process 4711)` of the socket with this port. @param sockets what `ss -Htunap` prints */
export function processOf(sockets: string, { protocol, sourcePort }: Attempt): string | undefined {
  for (const line of sockets.split('\n')) {
    const [kind, , , , local] = line.trim().split(/\s+/)
    if (kind !== protocol || !local?.endsWith(`:${sourcePort}`)) continue
    const [, name, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? []
    if (name !== undefined) return `${name} (process ${pid})`
  }
  return undefined
}

/** A line for each sender and destination, those with the most attempts first. */
export function attemptLines(attempts: readonly Attempt[], senderOf: (attempt: Attempt) => string): string[] {
  const counts = new Map<string, number>()
  for (const attempt of attempts) {
    const host = attempt.destination.includes(':') ? `[${attempt.destination}]` : attempt.destination
    const line = `${senderOf(attempt)} to ${host}:${attempt.port}/${attempt.protocol}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([line, count]) => `${line}: ${count} ${count === 1 ? 'attempt' : 'attempts'}`)
}
