/**
 * What is built on kernel modules although their use counts do not show it. Unloading `bridge` deletes every bridge there is,
 * unloading `iptable_nat` the rules in that table, and so on.
 */

import type { Host } from '../host/host.ts'
import { processes } from '../host/processes.ts'
import { firewallPrograms } from './firewall-programs.ts'
import { type Link, links, parseLinks } from './links.ts'
import type { Table } from './ruleset.ts'

/** Modules that make links, by the kind of link that `ip` shows. br_netfilter is there for bridges. */
const LINK_MODULES: Readonly<Record<string, string>> = {
  bridge: 'bridge',
  br_netfilter: 'bridge',
  veth: 'veth',
  vxlan: 'vxlan',
  dummy: 'dummy',
}
const LEGACY_TABLE = /^(iptable|ip6table)_(\w+)$/

/** Resolves with a function that tells what is built on a module; undefined if nothing is. */
export async function moduleUsers(host: Host): Promise<(module: string) => string | undefined> {
  const all = await linksEverywhere(host)
  const { programs, blind } = await firewallPrograms(host)
  const tables: Record<'nf_tables' | 'legacy', Table[]> = { nf_tables: [], legacy: [] }
  for (const program of programs) tables[program.flavour].push(...(await program.read()))
  return (module) => {
    const kind = LINK_MODULES[module]
    const link = kind === undefined ? undefined : all.find((one) => one.kind === kind)
    if (link !== undefined) return `the interface ${link.name} needs it`
    if (module === 'nf_tables' && (tables.nf_tables.length > 0 || blind.includes('nf_tables')))
      return 'there are nftables rules'
    const [, family, name] = LEGACY_TABLE.exec(module) ?? []
    if (name === undefined) return undefined
    if (blind.includes('legacy')) return 'there may be iptables rules'
    const isUsed = tables.legacy.some(
      (table) =>
        table.family === (family === 'iptable' ? 'ip' : 'ip6') && table.name === name && hasRules(table),
    )
    return isUsed ? `there are iptables rules in the table ${name}` : undefined
  }
}

function hasRules({ chains }: Table): boolean {
  return chains.some(({ policy, rules }) => rules.length > 0 || policy !== 'accept')
}

/** In all network namespaces in which a process runs: containers' bridges are no less somebody's. */
async function linksEverywhere(host: Host): Promise<Link[]> {
  const own = await host.probe('readlink', ['/proc/self/ns/net'])
  const seen = new Set([own.stdout.trim()])
  const found = await links(host)
  for (const { pid } of await processes(host)) {
    const namespace = (await host.probe('readlink', [`/proc/${pid}/ns/net`])).stdout.trim()
    if (namespace === '' || seen.has(namespace)) continue
    seen.add(namespace)
    const shown = await host.probe('nsenter', [
      `--net=/proc/${pid}/ns/net`,
      'ip',
      '-details',
      '-json',
      'link',
      'show',
    ])
    if (shown.exitCode === 0) found.push(...parseLinks(shown.stdout))
  }
  return found
}
