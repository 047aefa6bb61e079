/** VRRP as far as a new router must know it: who announces which router number (RFC 9568 section 5, RFC 3768 section 5). */

export interface Advertisement {
  readonly virtualRouterId: number
  /** The addresses that the router answers for. */
  readonly addresses: readonly string[]
}

/**
 * Reads IPv4 advertisements that follow each other without a gap, as hexadecimal bytes with white space between. What is
 * cut off at the end is left out.
 */
export function parseAdvertisements(text: string): Advertisement[] {
  const bytes = text
    .split(/\s+/)
    .flatMap((word) => (/^[0-9a-f]{2}$/i.test(word) ? [Number.parseInt(word, 16)] : []))
  const found: Advertisement[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const [first = 0, virtualRouterId = 0, , count = 0] = bytes.slice(at, at + 4)
    const version = first >> 4
    // Type 1 is the only one there is. Anything else is not VRRP, and where the next would begin is not known.
    if ((version !== 2 && version !== 3) || (first & 0xf) !== 1) break
    const end = at + 8 + 4 * count
    if (end > bytes.length) break
    const addresses = Array.from({ length: count }, (_, index) =>
      bytes.slice(at + 8 + 4 * index, at + 12 + 4 * index).join('.'),
    )
    found.push({ virtualRouterId, addresses })
    // Version 2 ends with eight bytes of authentication data.
    at = end + (version === 2 ? 8 : 0)
  }
  return found
}

/**
 * A router number that is the cluster's own: the last byte of its virtual address, which differs from those of its
 * neighbours on the network; if somebody else uses that, the next free one.
 */
export function chooseRouterId(virtualAddress: string, used: ReadonlySet<number>): number | undefined {
  const last = lastByte(virtualAddress)
  for (let step = 0; step < 255; step++) {
    const candidate = ((last + 254 + step) % 255) + 1
    if (!used.has(candidate)) return candidate
  }
  return undefined
}

/**
 * A master's priority, from 50 to 249. It decides nothing while somebody holds the address; it keeps those who miss him from
 * stepping forward in the same instant, since each waits the longer the lower its priority is (section 6.1, Skew_Time). With
 * addresses side by side it differs by 37, which is 43 ms at an advertisement each 0.3 s.
 */
export function priorityOf(address: string): number {
  return 50 + ((lastByte(address) * 37) % 200)
}

function lastByte(address: string): number {
  if (!address.includes(':')) return Number(address.split('.')[3])
  return Number.parseInt(address.split(':').at(-1) || '1', 16) & 0xff
}
