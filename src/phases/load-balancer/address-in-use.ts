import { setTimeout as delay } from 'node:timers/promises'
import type { Look } from '../../host/host.ts'

/** Milliseconds. The kernel asks three times, a second apart, before it gives up (arp(7), mcast_solicit). */
const LIMIT = 4000

interface Neighbour {
  readonly lladdr?: string
  readonly state?: readonly string[]
}

/**
 * Whether somebody on the network answers for an address, and the hardware address of who does. The kernel itself asks
 * (ARP, or neighbour discovery) when a packet is to be sent there; the packet goes to the discard port.
 */
export async function whoHas(
  host: Look,
  address: string,
  networkInterface: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const end = Date.now() + LIMIT
  await host.probe('bash', ['-c', 'echo >"/dev/udp/$0/9"', address])
  for (;;) {
    const output = await host.probe('ip', ['-json', 'neigh', 'show', 'to', address, 'dev', networkInterface])
    const [neighbour] = output.stdout.trim() === '' ? [] : (JSON.parse(output.stdout) as Neighbour[])
    const state = neighbour?.state?.[0]
    if (neighbour?.lladdr !== undefined && (state === 'REACHABLE' || state === 'PERMANENT'))
      return neighbour.lladdr
    // FAILED: nobody answered. No entry at all: the packet never left, as without a route.
    if (state === undefined || state === 'FAILED' || Date.now() > end) return undefined
    await delay(100, undefined, { signal })
  }
}
