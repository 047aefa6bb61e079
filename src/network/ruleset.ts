/** Firewall rules as far as reset has to know them, and what of them Kubernetes' network left behind. */

export interface Rule {
  /** How its reader finds it again: nft's handle, or the text of an iptables rule. */
  readonly id: string
  /** The chains it jumps to. */
  readonly targets: readonly string[]
}

export interface Chain {
  readonly name: string
  /** Lower case, of a chain that the kernel enters by itself; undefined for all others. */
  readonly policy: string | undefined
  readonly rules: readonly Rule[]
}

export interface Table {
  /** nftables' address family: ip, ip6, inet, … */
  readonly family: string
  readonly name: string
  readonly chains: readonly Chain[]
  /** Whether it holds more than chains: sets, maps, flow tables. */
  readonly holdsMore: boolean
}

/** What to take out of one table. */
export interface Removal {
  readonly table: Table
  /** The whole table goes, with all that is in it. */
  readonly whole: boolean
  /** Rules of others' chains that lead into chains that go. */
  readonly rules: readonly { readonly chain: string; readonly rule: Rule }[]
  readonly chains: readonly string[]
}

/** kube-proxy, the kubelet, kube-router; CNI plugins; flannel (`pkg/trafficmngr/iptables`); edgeadm; KubeEdge's CloudCore. */
const OWN_CHAINS = /^(KUBE-|CNI-|FLANNEL-|EDGEADM-|TUNNEL-PORT$)/
/** nftables modes of kube-proxy, flannel, and the CNI plugins portmap and bridge. */
const OWN_TABLES = new Set([
  'kube-proxy',
  'flannel-ipv4',
  'flannel-ipv6',
  'cni_hostport',
  'cni_plugins_masquerade',
])
/** iptables' tables: made by the first rule in them, and left empty by the last. */
const COMMON_TABLES = new Set(['filter', 'nat', 'mangle', 'raw', 'security'])

export const tableKey = ({ family, name }: Pick<Table, 'family' | 'name'>): string => `${family} ${name}`
export const chainKey = (table: Table, chain: string): string => `${tableKey(table)} ${chain}`

/** Every table and chain, by which a later look tells what is new. */
export function keysOf(tables: readonly Table[]): string[] {
  return tables.flatMap((table) => [
    tableKey(table),
    ...table.chains.map(({ name }) => chainKey(table, name)),
  ])
}

/**
 * What Kubernetes left in these tables. Policies, others' chains and others' rules are never part of it.
 * @param before the keys there were before edgeadm; undefined if nobody looked
 */
export function leftovers(tables: readonly Table[], before: readonly string[] | undefined): Removal[] {
  const known = new Set(before ?? [])
  return tables.flatMap((table) => {
    const found = leftoversOf(table, known, before !== undefined)
    return found.whole || found.rules.length > 0 || found.chains.length > 0 ? [found] : []
  })
}

/** The removals that matter to anyone: an empty chain that accepts everything is as good as none. */
export function isMaterial({ whole, chains, table }: Removal): boolean {
  return (whole && OWN_TABLES.has(table.name)) || chains.some((name) => OWN_CHAINS.test(name))
}

function leftoversOf(table: Table, known: ReadonlySet<string>, looked: boolean): Removal {
  const isNewTable = !known.has(tableKey(table))
  if (OWN_TABLES.has(table.name) && isNewTable) return { table, whole: true, rules: [], chains: [] }
  const own = new Set(
    table.chains
      .map(({ name }) => name)
      .filter((name) => OWN_CHAINS.test(name) && !known.has(chainKey(table, name))),
  )
  const rules = table.chains
    .filter(({ name }) => !own.has(name))
    .flatMap((chain) =>
      chain.rules
        .filter(({ targets }) => targets.some((target) => own.has(target)))
        .map((rule) => ({ chain: chain.name, rule })),
    )
  const leading = new Set(rules.map(({ rule }) => rule))
  const isEmptied = (chain: Chain): boolean =>
    chain.policy === 'accept' && chain.rules.every((rule) => leading.has(rule))
  const emptied =
    looked && COMMON_TABLES.has(table.name)
      ? table.chains.filter((chain) => isEmptied(chain) && !known.has(chainKey(table, chain.name)))
      : []
  const chains = [...own, ...emptied.map(({ name }) => name)]
  const whole =
    looked &&
    isNewTable &&
    COMMON_TABLES.has(table.name) &&
    !table.holdsMore &&
    chains.length === table.chains.length
  return { table, whole, rules, chains }
}
