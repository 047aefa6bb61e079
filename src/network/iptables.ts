/** iptables' rules through the text of iptables-save(8) and iptables-restore(8), both flavours. */

import type { Chain, Removal, Table } from './ruleset.ts'

/** @param text output of `iptables-save` or `ip6tables-save` */
export function parseIptables(text: string, family: 'ip' | 'ip6'): Table[] {
  const tables: { name: string; chains: (Chain & { rules: Chain['rules'][number][] })[] }[] = []
  for (const line of text.split('\n')) {
    const chains = tables.at(-1)?.chains ?? []
    if (line.startsWith('*')) tables.push({ name: line.slice(1), chains: [] })
    else if (line.startsWith(':')) {
      const [name = '', policy] = line.slice(1).split(' ')
      chains.push({ name, policy: policy === '-' ? undefined : policy?.toLowerCase(), rules: [] })
    } else if (line.startsWith('-A ')) {
      const name = line.split(' ')[1]
      const target = / -[jg] (\S+)/.exec(withoutQuoted(line))?.[1]
      chains
        .find((chain) => chain.name === name)
        ?.rules.push({ id: line.slice(3), targets: target === undefined ? [] : [target] })
    }
  }
  return tables.map((table) => ({ ...table, family, holdsMore: false }))
}

/** A comment may say anything. */
function withoutQuoted(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, '""')
}

/**
 * Input for `iptables-restore --noflush`, which carries out each table's part whole or not at all. Chains that the kernel
 * enters stay: iptables does not remove them.
 */
export function iptablesScript(removals: readonly Removal[]): string {
  return removals
    .map(({ table, rules, chains }) => {
      const own = chains.filter(
        (name) => table.chains.find((chain) => chain.name === name)?.policy === undefined,
      )
      const lines = [
        ...rules.map(({ rule }) => `-D ${rule.id}`),
        ...own.map((chain) => `-F ${chain}`),
        ...own.map((chain) => `-X ${chain}`),
      ]
      return lines.length === 0 ? '' : `*${table.name}\n${lines.join('\n')}\nCOMMIT\n`
    })
    .join('')
}
