/** Go's durations (`24h0m0s`, `1.5h`, `300ms`, `0`), which kubeadm uses in flags and documents. Unit here: milliseconds. */

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Go counts nanoseconds in 64 bits: some 292 years. */
const MAXIMUM = 2 ** 63 / 1e6

/** @returns milliseconds; undefined if the text is not a duration that Go would take */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (!match) return undefined
  let total = 0
  for (const [, number, unit] of (match[2] as string).matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) {
    total += Number(number) * (UNITS[unit as string] as number)
  }
  if (total > MAXIMUM) return undefined
  return match[1] === '-' ? -total : total
}

/** As Go prints it: `24h0m0s`, `2m0s`, `1.5s`, `0s`. */
export function formatDuration(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : ''
  const total = Math.abs(milliseconds)
  const hours = Math.floor(total / 3_600_000)
  const minutes = Math.floor((total % 3_600_000) / 60_000)
  const seconds = (total % 60_000) / 1000
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  if (minutes > 0) return `${sign}${minutes}m${seconds}s`
  return `${sign}${seconds}s`
}
