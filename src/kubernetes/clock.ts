/** Whether this machine's clock can be right, by what it has and by what other masters say. */

import { parse } from 'yaml'
import type { Look } from '../host/host.ts'
import { ask } from '../network/request.ts'
import { messageOf } from '../output/errors.ts'
import { beginOf } from './expiry.ts'
import type { FoundCertificate } from './node-certificates.ts'

/** Milliseconds. kubeadm and others make certificates valid from some minutes before; clocks of a cluster differ a little. */
const TOLERANCE = 5 * 60_000

/** One sentence for each; none: nothing speaks against the clock. */
export async function findClockProblems(
  host: Look,
  found: readonly FoundCertificate[],
  signal: AbortSignal,
): Promise<string[]> {
  const now = Date.now()
  const newest = [...found].sort((a, b) => beginOf(b.certificate) - beginOf(a.certificate))[0]
  const begins = newest === undefined ? 0 : beginOf(newest.certificate)
  const behind =
    begins > now + TOLERANCE
      ? [
          `it is ${say(now)} here, and ${newest?.where} was made for the time from ${say(begins)} on: the clock is behind`,
        ]
      : []
  return [...behind, ...(await againstOthers(host, signal))]
}

interface Kubeconfig {
  readonly clusters?: readonly { readonly cluster?: { readonly server?: string } }[]
}

/**
 * The API server's own answer carries its time. Its certificate may have ended, so it is not checked: a wrong answer can only
 * make this command stop and ask.
 */
async function againstOthers(host: Look, signal: AbortSignal): Promise<string[]> {
  const servers = new Set<string>()
  for (const name of ['kubelet.conf', 'admin.conf']) {
    const config = parse((await host.readFile(`/etc/kubernetes/${name}`)) ?? '') as Kubeconfig | null
    const server = config?.clusters?.[0]?.cluster?.server
    if (server !== undefined) servers.add(server)
  }
  const problems: string[] = []
  for (const server of servers) {
    try {
      const { headers } = await ask({ url: `${server}/version`, caPem: undefined, timeout: 3000, signal })
      const there = Date.parse(String(headers.date))
      const now = Date.now()
      if (Math.abs(there - now) > TOLERANCE)
        problems.push(`it is ${say(now)} here, and ${say(there)} at ${server}`)
    } catch (error) {
      signal.throwIfAborted()
      // An API server that is away says nothing about the clock.
      if (!(error instanceof Error)) throw new Error(messageOf(error))
    }
  }
  return problems
}

const say = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
