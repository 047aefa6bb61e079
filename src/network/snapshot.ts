/** The rules of a machine's firewall, its addresses and routes as a shell script that puts them back, for the case that a change cuts somebody off. */

import type { Host, Look } from '../host/host.ts'
import { isLeftUnloaded } from '../host/kernel-modules.ts'
import { type Flavour, saveCommand } from './firewall-programs.ts'

/** Text by file name, and `restore`, a shell script that is run in the directory of the files. */
export interface NetworkSnapshot {
  readonly files: Readonly<Record<string, string>>
  readonly restore: readonly string[]
}

/** Where firewalld and ufw keep what is loaded at boot. */
const CONFIGURATION = ['etc/firewalld', 'etc/ufw']

/** Tables that iptables-nft makes. nft cannot write all of their matches, so iptables saves them. */
const IPTABLES_TABLES = /^(ip|ip6) (filter|nat|mangle|raw|security)$/

export async function snapshotNetwork(host: Look, address: string): Promise<NetworkSnapshot> {
  const files: Record<string, string> = {}
  const restore: string[] = []
  const hasNft = !(await isLeftUnloaded(host, 'nf_tables'))
  const nft = hasNft ? await nftTables(host) : ''
  if (nft !== '') {
    files['rules.nft'] = nft
    restore.push('nft -f rules.nft')
  }
  for (const [name, names] of [
    ['iptables', '/proc/net/ip_tables_names'],
    ['ip6tables', '/proc/net/ip6_tables_names'],
  ] as const) {
    const hasLegacy = ((await host.readFile(names)) ?? '').trim() !== ''
    const flavours: Flavour[] = [
      ...(hasNft ? (['nf_tables'] as const) : []),
      ...(hasLegacy ? (['legacy'] as const) : []),
    ]
    for (const flavour of flavours) {
      const save = await saveCommand(host, name, flavour)
      if (save === undefined) continue
      const { exitCode, stdout } = await host.probe(save, [])
      if (exitCode !== 0 || stdout.trim() === '') continue
      files[save] = `${stdout}\n`
      restore.push(`${save.replace(/-save$/, '-restore')} --wait=10 <${save}`)
    }
  }
  return { files, restore: [...restore, ...(await addressOf(host, address)), ...(await routes(host))] }
}

/** Where firewalld's and ufw's configuration is kept, and how it is put back. */
export async function copyFirewallConfiguration(host: Host, directory: string): Promise<string[]> {
  const there: string[] = []
  for (const path of CONFIGURATION) if ((await host.stat(`/${path}`)) !== undefined) there.push(path)
  if (there.length === 0) return []
  await host.run('tar', ['-C', '/', '-cf', `${directory}/configuration.tar`, ...there], {
    title: 'keep a copy of the configuration of the firewall',
    undo: null,
  })
  return ['tar -C / -xf configuration.tar']
}

/** Each table is replaced as a whole, in one transaction. */
async function nftTables(host: Look): Promise<string> {
  const list = await host.probe('nft', ['list', 'tables'])
  if (list.exitCode !== 0) return ''
  const names = list.stdout.split('\n').flatMap((line) => /^table (\S+ \S+)$/.exec(line.trim())?.[1] ?? [])
  const texts: string[] = []
  for (const name of names.filter((one) => !IPTABLES_TABLES.test(one))) {
    const { exitCode, stdout } = await host.probe('nft', ['list', 'table', ...name.split(' ')])
    if (exitCode === 0) texts.push(`table ${name}\ndelete table ${name}\n${stdout}\n`)
  }
  return texts.join('')
}

interface IpAddress {
  readonly ifname: string
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

async function addressOf(host: Look, address: string): Promise<string[]> {
  const shown = await host.probe('ip', ['-json', 'address', 'show'])
  for (const { ifname, addr_info } of JSON.parse(shown.stdout || '[]') as IpAddress[]) {
    const found = addr_info?.find(({ local }) => local === address)
    if (found !== undefined) return [`ip address replace ${address}/${found.prefixlen} dev ${ifname}`]
  }
  return []
}

/** The main table. Those of interfaces that are gone by then fail, and nothing depends on them. */
async function routes(host: Look): Promise<string[]> {
  const commands: string[] = []
  for (const family of ['-4', '-6']) {
    const { exitCode, stdout } = await host.probe('ip', [family, 'route', 'show'])
    // `linkdown` and the like are states, not part of the route.
    const lines = exitCode === 0 ? stdout.split('\n').filter((line) => line.trim() !== '') : []
    for (const line of lines.toReversed())
      commands.push(`ip ${family} route replace ${line.replace(/ (linkdown|dead|onlink)\b/g, '').trim()}`)
  }
  return commands
}
