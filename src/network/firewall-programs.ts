/** Through which programs of this machine its firewall rules can be read and changed. */

import type { Host, Look } from '../host/host.ts'
import { isLeftUnloaded } from '../host/kernel-modules.ts'
import { iptablesScript, parseIptables } from './iptables.ts'
import { nftScript, parseNft } from './nft.ts'
import type { Removal, Table } from './ruleset.ts'

/** The kernel keeps them apart: rules of one are invisible to the programs of the other. */
export type Flavour = 'nf_tables' | 'legacy'

export interface FirewallProgram {
  readonly name: string
  readonly flavour: Flavour
  read(): Promise<Table[]>
  remove(host: Host, removals: readonly Removal[], title: string): Promise<void>
}

const FAMILIES = [
  { family: 'ip', program: 'iptables', names: '/proc/net/ip_tables_names' },
  { family: 'ip6', program: 'ip6tables', names: '/proc/net/ip6_tables_names' },
] as const

/**
 * Those that there are; nft before iptables-nft, since it sees everything. `blind`: flavours that may hold rules which
 * no program of this machine can show.
 */
export async function firewallPrograms(
  host: Look,
): Promise<{ programs: FirewallProgram[]; blind: Flavour[] }> {
  const programs: FirewallProgram[] = []
  const blind: Flavour[] = []
  // Where the kernel never loaded nf_tables, it has no rules; looking would load it.
  const hasNfTables = !(await isLeftUnloaded(host, 'nf_tables'))
  const list = hasNfTables ? await host.probe('nft', ['--json', 'list', 'ruleset']) : undefined
  if (list?.exitCode === 0 && list.stdout.startsWith('{')) programs.push(nft(host))
  for (const { family, program, names } of FAMILIES) {
    if (hasNfTables && programs[0]?.name !== 'nft') {
      const save = await saveCommand(host, program, 'nf_tables')
      if (save !== undefined) programs.push(iptables(host, 'nf_tables', family, save))
      else if (family === 'ip') blind.push('nf_tables')
    }
    // A table that no legacy program ever touched is not there; looking would make it.
    if (((await host.readFile(names)) ?? '').trim() === '') continue
    const save = await saveCommand(host, program, 'legacy')
    if (save !== undefined) programs.push(iptables(host, 'legacy', family, save))
    else if (!blind.includes('legacy')) blind.push('legacy')
  }
  return { programs, blind }
}

/** `iptables-nft-save` and `iptables-legacy-save` where both exist; else plain `iptables-save` if it is of this flavour. */
export async function saveCommand(
  host: Look,
  program: string,
  flavour: Flavour,
): Promise<string | undefined> {
  const named = `${program}-${flavour === 'legacy' ? 'legacy' : 'nft'}-save`
  if ((await host.probe(named, ['--version'])).exitCode === 0) return named
  const version = (await host.probe(program, ['--version'])).stdout
  // Before 1.8 there was but one kind, and it did not say so.
  const is = version.includes('nf_tables') ? 'nf_tables' : 'legacy'
  return version !== '' && is === flavour ? `${program}-save` : undefined
}

function nft(host: Look): FirewallProgram {
  return {
    name: 'nft',
    flavour: 'nf_tables',
    read: async () => parseNft((await host.probe('nft', ['--json', 'list', 'ruleset'])).stdout),
    remove: async (host, removals, title) => {
      await host.run('nft', ['-f', '-'], { title, undo: null, input: nftScript(removals) })
    },
  }
}

function iptables(host: Look, flavour: Flavour, family: 'ip' | 'ip6', save: string): FirewallProgram {
  const restore = save.replace(/-save$/, '-restore')
  return {
    name: save.replace(/-save$/, ''),
    flavour,
    read: async () => parseIptables((await host.probe(save, [])).stdout, family),
    remove: async (host, removals, title) => {
      const input = iptablesScript(removals)
      // kube-proxy may hold the lock for a moment.
      if (input !== '') await host.run(restore, ['--noflush', '--wait', '10'], { title, undo: null, input })
    },
  }
}
