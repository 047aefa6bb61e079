/**
 * Chains of the firewall that drop what no rule of theirs accepts, and what they accept. A packet has to pass every chain of
 * a hook, so rules that Kubernetes adds to chains of its own do not help there.
 */

import { POD_INTERFACES } from '../config/networks.ts'
import type { Look } from '../host/host.ts'
import { isLeftUnloaded } from '../host/kernel-modules.ts'
import { closedIptables } from './closed-iptables.ts'
import { closedNft } from './closed-nft.ts'

/** A rule that accepts. What is undefined does not matter to it. */
export interface Accepts {
  readonly protocols?: readonly string[]
  /** Destination ports, first and last. */
  readonly ports?: readonly (readonly [number, number])[]
  /** Interfaces by which packets come in, and go out. `cni*` stands for all that begin so. */
  readonly from?: readonly string[]
  readonly to?: readonly string[]
}

/** Something that has to pass. */
export interface Wanted {
  readonly protocol?: 'tcp' | 'udp'
  readonly ports?: readonly [number, number]
  readonly from?: string
  readonly to?: string
}

export interface ClosedChain {
  /** `inet filter input`. */
  readonly name: string
  readonly program: 'nft' | 'iptables' | 'ip6tables'
  readonly hook: 'input' | 'forward'
  readonly accepts: readonly Accepts[]
}

/** Looks through nft where it is there, and through iptables for the rules that are its own. */
export async function closedChains(host: Look): Promise<ClosedChain[]> {
  // Where the kernel never loaded nf_tables there are no rules; looking would load it.
  const hasNft = !(await isLeftUnloaded(host, 'nf_tables'))
  const nft = hasNft ? await host.probe('nft', ['--json', 'list', 'ruleset']) : undefined
  const found = nft?.exitCode === 0 && nft.stdout.startsWith('{') ? closedNft(nft.stdout) : []
  for (const [program, names] of [
    ['iptables', '/proc/net/ip_tables_names'],
    ['ip6tables', '/proc/net/ip6_tables_names'],
  ] as const) {
    const hasLegacy = ((await host.readFile(names)) ?? '').trim() !== ''
    if (!hasNft && !hasLegacy) continue
    const rules = await host.probe(program, ['-S'])
    if (rules.exitCode === 0) found.push(...closedIptables(rules.stdout, program))
  }
  return found
}

/** Whether a chain lets it pass. Rules with conditions that are not understood count as if they were not there. */
export function passes({ accepts }: ClosedChain, wanted: Wanted): boolean {
  return accepts.some(
    ({ protocols, ports, from, to }) =>
      (protocols === undefined || (wanted.protocol !== undefined && protocols.includes(wanted.protocol))) &&
      (ports === undefined || (wanted.ports !== undefined && covers(ports, wanted.ports))) &&
      names(from, wanted.from, wanted) &&
      names(to, wanted.to, wanted),
  )
}

/** A port is open also if it is open on the machine's own interfaces (`eth0`) alone. What is wanted of an interface has no such limits. */
function names(patterns: readonly string[] | undefined, one: string | undefined, wanted: Wanted): boolean {
  if (patterns === undefined) return true
  if (one !== undefined)
    return patterns.some((pattern) =>
      pattern.endsWith('*') ? one.startsWith(pattern.slice(0, -1)) : pattern === one,
    )
  return wanted.ports !== undefined && patterns.some((name) => name !== 'lo' && !POD_INTERFACES.test(name))
}

function covers(
  ranges: readonly (readonly [number, number])[],
  [first, last]: readonly [number, number],
): boolean {
  return ranges.some(([from, to]) => from <= first && last <= to)
}
