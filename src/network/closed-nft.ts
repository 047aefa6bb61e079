/** {@link closedChains} of nftables, from nft's JSON (libnftables-json(5)). */

import type { Accepts, ClosedChain } from './closed-chains.ts'

type Json = Readonly<Record<string, unknown>>

interface Entry {
  readonly chain?: {
    readonly family: string
    readonly table: string
    readonly name: string
    readonly hook?: string
    readonly policy?: string
  }
  readonly rule?: {
    readonly family: string
    readonly table: string
    readonly chain: string
    readonly expr: readonly Json[]
  }
  readonly set?: {
    readonly family: string
    readonly table: string
    readonly name: string
    readonly elem?: readonly unknown[]
  }
}

type Rules = (chain: string) => readonly (readonly Json[])[]
type SetOf = (name: string) => readonly unknown[]

/** @param json output of `nft --json list ruleset` */
export function closedNft(json: string): ClosedChain[] {
  const { nftables } = JSON.parse(json) as { nftables: readonly Entry[] }
  return nftables.flatMap(({ chain }): ClosedChain[] => {
    if (chain?.hook !== 'input' && chain?.hook !== 'forward') return []
    if (!['inet', 'ip', 'ip6'].includes(chain.family) || isIptables(chain)) return []
    const isHere = (one: { family: string; table: string } | undefined): boolean =>
      one?.family === chain.family && one.table === chain.table
    const rules: Rules = (name) =>
      nftables.flatMap(({ rule }) => (isHere(rule) && rule?.chain === name ? [rule.expr] : []))
    const setOf: SetOf = (name) =>
      nftables.find(({ set }) => isHere(set) && set?.name === name)?.set?.elem ?? []
    if (chain.policy !== 'drop' && !rules(chain.name).some(dropsAll)) return []
    const name = `${chain.family} ${chain.table} ${chain.name}`
    return [{ name, program: 'nft', hook: chain.hook, accepts: acceptsOf(chain.name, rules, setOf) }]
  })
}

/** iptables-nft's own tables: iptables shows their matches, which nft cannot. */
const isIptables = ({ family, table, name }: { family: string; table: string; name: string }): boolean =>
  family !== 'inet' && table === 'filter' && name === name.toUpperCase()

/** A rule without a condition. */
function dropsAll(expressions: readonly Json[]): boolean {
  return (
    expressions.some((one) => 'drop' in one || 'reject' in one) &&
    expressions.every((one) => ['drop', 'reject', 'counter', 'log'].includes(Object.keys(one)[0] ?? ''))
  )
}

/** Rules of chains that it jumps to without a condition are its own. */
function acceptsOf(chain: string, rules: Rules, setOf: SetOf, seen: readonly string[] = []): Accepts[] {
  if (seen.includes(chain)) return []
  return rules(chain).flatMap((expressions) => {
    const [only] = expressions
    const target = ((only?.jump ?? only?.goto) as { target?: string } | undefined)?.target
    if (expressions.length === 1 && target !== undefined)
      return acceptsOf(target, rules, setOf, [...seen, chain])
    if (!expressions.some((one) => 'accept' in one)) return []
    return acceptOf(expressions, setOf) ?? []
  })
}

/** Undefined for a condition that is not understood. */
function acceptOf(expressions: readonly Json[], setOf: SetOf): Accepts | undefined {
  let found: Accepts = {}
  for (const expression of expressions) {
    const match = expression.match as { op: string; left: Json; right: unknown } | undefined
    if (match === undefined) {
      if ('accept' in expression || 'counter' in expression || 'log' in expression) continue
      return undefined
    }
    if (match.op !== '==' && match.op !== 'in') return undefined
    const condition = conditionOf(match.left, valuesOf(match.right, setOf))
    if (condition === undefined) return undefined
    found = { ...found, ...condition }
  }
  return found
}

function conditionOf(left: Json, values: readonly unknown[]): Accepts | undefined {
  const payload = left.payload as { protocol: string; field: string } | undefined
  const meta = (left.meta as { key: string } | undefined)?.key
  const texts = values.map(String)
  if (payload?.field === 'dport') {
    const ports = values.map(portsOf)
    if (ports.some((range) => range === undefined)) return undefined
    const protocols = payload.protocol === 'th' ? {} : { protocols: [payload.protocol] }
    return { ...protocols, ports: ports.filter((range) => range !== undefined) }
  }
  // Whose addresses they are, the administrator knows.
  if (payload?.field === 'saddr' || payload?.field === 'daddr') return {}
  if (payload?.field === 'protocol' || payload?.field === 'nexthdr' || meta === 'l4proto')
    return { protocols: texts }
  if (meta === 'iif' || meta === 'iifname') return { from: texts }
  if (meta === 'oif' || meta === 'oifname') return { to: texts }
  if ((left.ct as { key?: string } | undefined)?.key === 'state' && texts.includes('new')) return {}
  return undefined
}

function valuesOf(right: unknown, setOf: SetOf): readonly unknown[] {
  if (typeof right === 'string' && right.startsWith('@')) return setOf(right.slice(1))
  if (Array.isArray(right)) return right
  const { set } = (typeof right === 'object' && right !== null ? right : {}) as { set?: unknown }
  return Array.isArray(set) ? set : [right]
}

function portsOf(value: unknown): readonly [number, number] | undefined {
  if (typeof value === 'number') return [value, value]
  const [first, last] = ((value as { range?: unknown[] } | null)?.range ?? []) as unknown[]
  if (typeof first === 'number' && typeof last === 'number') return [first, last]
  // An element of a set with a time or a counter.
  const { elem } = (typeof value === 'object' && value !== null ? value : {}) as { elem?: { val?: unknown } }
  return elem === undefined ? undefined : portsOf(elem.val)
}
