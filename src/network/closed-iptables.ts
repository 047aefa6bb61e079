/** {@link closedChains} of iptables, both flavours, from `iptables -S`. */

import type { Accepts, ClosedChain } from './closed-chains.ts'

const HOOKS = { INPUT: 'input', FORWARD: 'forward' } as const

/** @param text output of `iptables -S` */
export function closedIptables(text: string, program: 'iptables' | 'ip6tables'): ClosedChain[] {
  const lines = text.split('\n')
  const rulesOf = (chain: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`-A ${chain} `) ? [line.slice(`-A ${chain} `.length)] : []))
  return (['INPUT', 'FORWARD'] as const).flatMap((chain): ClosedChain[] => {
    const rules = rulesOf(chain)
    const dropsAll = rules.some((rule) => /^-j (DROP|REJECT)\b/.test(rule))
    const dropsRest = lines.includes(`-P ${chain} DROP`)
    // flannel adds its rules to the end of FORWARD (pkg/trafficmngr/iptables): a policy comes after them, a rule does not.
    if (!dropsAll && !(dropsRest && chain === 'INPUT')) return []
    const accepts = acceptsOf(chain, rulesOf)
    return [{ name: `${program} ${chain}`, program, hook: HOOKS[chain], accepts }]
  })
}

function acceptsOf(
  chain: string,
  rulesOf: (chain: string) => readonly string[],
  seen: readonly string[] = [],
): Accepts[] {
  if (seen.includes(chain)) return []
  return rulesOf(chain).flatMap((rule) => {
    const target = /^-[jg] ([^A-Z\s]\S*|[A-Z][\w-]*)$/.exec(rule)?.[1]
    if (target !== undefined && target !== 'ACCEPT') return acceptsOf(target, rulesOf, [...seen, chain])
    return acceptOf(rule) ?? []
  })
}

/** Undefined for a rule that does something else, or has a condition that is not understood. */
function acceptOf(rule: string): Accepts | undefined {
  if (!/(^| )-j ACCEPT$/.test(rule)) return undefined
  let rest = rule.replace(/(^| )-j ACCEPT$/, '')
  const take = (pattern: RegExp): string | undefined => {
    const [whole, value] = pattern.exec(rest) ?? []
    if (whole !== undefined) rest = rest.replace(whole, '')
    return value
  }
  const protocol = take(/(?:^| )-p (\S+)/)
  const ports = take(/(?:^| )--dports? ([\d,:]+)/)
  const from = take(/(?:^| )-i (\S+)/)
  const to = take(/(?:^| )-o (\S+)/)
  take(/(?:^| )-s (\S+)/)
  take(/(?:^| )-d (\S+)/)
  take(/(?:^| )-m comment --comment ("(?:[^"\\]|\\.)*"|\S+)/)
  take(/(?:^| )-m (?:conntrack --ctstate|state --state) \S*(NEW)\S*/)
  rest = rest.replace(/ ?-m (tcp|udp|multiport)\b/g, '')
  if (rest.trim() !== '') return undefined
  return {
    ...(protocol === undefined ? {} : { protocols: [protocol] }),
    ...(ports === undefined ? {} : { ports: ports.split(',').map(range) }),
    ...(from === undefined ? {} : { from: [from.replace(/\+$/, '*')] }),
    ...(to === undefined ? {} : { to: [to.replace(/\+$/, '*')] }),
  }
}

function range(text: string): readonly [number, number] {
  const [first, last = first] = text.split(':').map(Number)
  return [first ?? 0, last ?? 0]
}
