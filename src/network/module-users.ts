/**
 * What is built on kernel modules although their use counts do not show it. Unloading `bridge` deletes every bridge there is,
 * unloading `iptable_nat` the rules in that table, and so on.
 */

import type { Look } from '../host/host.ts'
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
export async function moduleUsers(host: Look): Promise<(module: string) => string | undefined> {
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
async function linksEverywhere(host: Look): Promise<Link[]> {
  const own = (await host.probe('readlink', ['/proc/self/ns/net'])).stdout.trim()
  // A process may end meanwhile; ls lists the others.
  const { stdout } = await host.probe('sh', ['-c', 'ls -l /proc/[0-9]*/ns/net'])
  const others = firstOfEach(stdout)
  others.delete(own)
  const found = await links(host)
  for (const path of others.values()) {
    const shown = await host.probe('nsenter', [`--net=${path}`, 'ip', '-details', '-json', 'link', 'show'])
    if (shown.exitCode === 0) found.push(...parseLinks(shown.stdout))
  }
  return found
}

/** @param listing lines as `lrwxrwxrwx 1 root root 0 Nov 21 10:00 /proc/1/ns/net -> net:[4026531840]` @returns namespace -> a path to it */
export function firstOfEach(listing: string): Map<string, string> {
  const paths = new Map<string, string>()
  for (const [, path = '', namespace = ''] of listing.matchAll(/(\/proc\/\d+\/ns\/net) -> (net:\[\d+\])$/gm))
    if (!paths.has(namespace)) paths.set(namespace, path)
  return paths
}
