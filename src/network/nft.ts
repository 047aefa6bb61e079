/** nftables' rules through nft's JSON (libnftables-json(5)); rules of iptables-nft are among them. */

import type { Chain, Removal, Rule, Table } from './ruleset.ts'

interface Named {
  readonly family: string
  readonly table: string
  readonly name: string
}

interface Listing {
  readonly nftables: readonly {
    readonly table?: { readonly family: string; readonly name: string }
    readonly chain?: Named & { readonly policy?: string; readonly hook?: string }
    readonly rule?: Omit<Named, 'name'> & {
      readonly chain: string
      readonly handle: number
      readonly expr: unknown
    }
    readonly set?: Named
    readonly map?: Named
    readonly flowtable?: Named
  }[]
}

/** @param json output of `nft --json list ruleset` */
export function parseNft(json: string): Table[] {
  const entries = (JSON.parse(json) as Listing).nftables
  const isIn = (
    table: { family: string; name: string },
    one: { family: string; table: string } | undefined,
  ) => one !== undefined && one.family === table.family && one.table === table.name
  return entries.flatMap(({ table }) => {
    if (table === undefined) return []
    const chains = entries.flatMap(({ chain }): Chain[] => {
      if (chain === undefined || !isIn(table, chain)) return []
      const rules = entries.flatMap(({ rule }): Rule[] =>
        rule !== undefined && isIn(table, rule) && rule.chain === chain.name
          ? [{ id: String(rule.handle), targets: targetsOf(rule.expr) }]
          : [],
      )
      const policy = chain.hook === undefined ? undefined : (chain.policy ?? 'accept')
      return [{ name: chain.name, policy, rules }]
    })
    const holdsMore = entries.some((entry) =>
      [entry.set, entry.map, entry.flowtable].some((one) => isIn(table, one)),
    )
    return [{ family: table.family, name: table.name, chains, holdsMore }]
  })
}

/** The chains of all jump and goto verdicts, however deep (a verdict map has many). */
function targetsOf(expression: unknown): string[] {
  if (typeof expression !== 'object' || expression === null) return []
  return Object.entries(expression).flatMap(([key, value]) => {
    const target: unknown =
      key === 'jump' || key === 'goto' ? (value as { target?: unknown } | null)?.target : undefined
    return typeof target === 'string' ? [target] : targetsOf(value)
  })
}

/** A script for `nft -f -`, which carries out all of it or nothing. */
export function nftScript(removals: readonly Removal[]): string {
  return removals
    .flatMap(({ table, whole, rules, chains }) => {
      const name = `${table.family} ${table.name}`
      if (whole) return [`delete table ${name}`]
      return [
        ...rules.map(({ chain, rule }) => `delete rule ${name} ${chain} handle ${rule.id}`),
        ...chains.map((chain) => `flush chain ${name} ${chain}`),
        ...chains.map((chain) => `delete chain ${name} ${chain}`),
      ]
    })
    .map((line) => `${line}\n`)
    .join('')
}
