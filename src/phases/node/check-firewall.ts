/** Rules of the administrator's that drop what they do not know: they stay as they are, and what is missing in them is named. */

import { isIP } from 'node:net'
import { type ClosedChain, closedChains, passes, type Wanted } from '../../network/closed-chains.ts'
import type { NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'
import { ports } from './firewall.ts'
import { podInterfaces } from './firewall-pods.ts'
import { activeFirewall } from './firewall-ports.ts'

/** firewalld and ufw open what is needed (phase node/firewall): their own chains are left out. */
const MANAGED = { firewalld: /^inet firewalld /, ufw: /^ip6?tables / } as const

const ONLY_IPV6 = /^ip6(tables)? /

/** Chains of this machine that would keep the node's network from working, with the rules that they lack. */
export async function closedToNode(
  ctx: NodeContext,
): Promise<{ readonly name: string; readonly rules: readonly string[] }[]> {
  const manager = await activeFirewall(ctx.host)
  const usesIPv6 = isIP(ctx.settings.node.address) === 6
  const managed = manager === undefined ? undefined : MANAGED[manager]
  return (await closedChains(ctx.host))
    .filter(({ name }) => managed?.test(name) !== true && (usesIPv6 || !ONLY_IPV6.test(name)))
    .map((chain) => ({ name: chain.name, rules: missingRules(ctx, chain) }))
    .filter(({ rules }) => rules.length > 0)
}

export async function checkFirewall(ctx: NodeContext): Promise<Problem[]> {
  return (await closedToNode(ctx)).map(({ name, rules }) => ({
    check: 'Firewall',
    severity: 'error',
    text: `the firewall's chain ${name} drops what it has no rule for, and the node's network needs rules there: ${rules.map((rule) => `\`${rule}\``).join(', ')}; add them also to the file that it is loaded from at boot`,
  }))
}

function missingRules(ctx: NodeContext, chain: ClosedChain): string[] {
  const lacks = (wanted: Wanted): boolean => !passes(chain, wanted)
  const pods = podInterfaces(ctx)
  // Pods speak to programs of this machine (the kubelet, the API server), to each other and to the outside.
  const from = pods.filter((name) => lacks({ from: name }))
  const to = chain.hook === 'forward' ? pods.filter((name) => lacks({ to: name })) : []
  const wanted = chain.hook === 'input' ? ports(ctx) : []
  const open = (['tcp', 'udp'] as const).flatMap((protocol) => {
    const missing = wanted.filter(
      (one) => one.protocol === protocol && lacks({ protocol, ports: rangeOf(one.port) }),
    )
    return missing.length === 0
      ? []
      : [
          openRule(
            chain,
            protocol,
            missing.map(({ port }) => port),
          ),
        ]
  })
  return [...open, ...interfaceRules(chain, 'from', from), ...interfaceRules(chain, 'to', to)]
}

function rangeOf(port: string): [number, number] {
  const [first, last = first] = port.split('-').map(Number)
  return [first ?? 0, last ?? 0]
}

const quoted = (name: string): string => `"${name}"`
/** As nft takes one or more values. */
const oneOf = (values: readonly string[]): string =>
  values.length === 1 ? (values[0] ?? '') : `{ ${values.join(', ')} }`

function openRule({ name, program }: ClosedChain, protocol: string, missing: readonly string[]): string {
  if (program === 'nft') return `nft 'insert rule ${name} ${protocol} dport ${oneOf(missing)} accept'`
  const list = missing.map((port) => port.replace('-', ':')).join(',')
  return `${program} -I INPUT -p ${protocol} -m multiport --dports ${list} -j ACCEPT`
}

function interfaceRules(chain: ClosedChain, way: 'from' | 'to', interfaces: readonly string[]): string[] {
  if (interfaces.length === 0) return []
  if (chain.program === 'nft') {
    const key = way === 'from' ? 'iifname' : 'oifname'
    return [`nft 'insert rule ${chain.name} ${key} ${oneOf(interfaces.map(quoted))} accept'`]
  }
  const option = way === 'from' ? '-i' : '-o'
  const target = chain.hook === 'input' ? 'INPUT' : 'FORWARD'
  return interfaces.map((name) => `${chain.program} -I ${target} ${option} ${name} -j ACCEPT`)
}
