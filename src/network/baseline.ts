/**
 * The machine's network before edgeadm, as far as Kubernetes will add to it: what is not in here and bears one of its
 * names is a leftover. /var/lib/edgeadm/network-before.json, written once.
 */

import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { Look } from '../host/host.ts'
import { isLeftUnloaded, loadedModules } from '../host/kernel-modules.ts'
import { STATE_DIRECTORY } from '../host/ledger.ts'
import { type Flavour, firewallPrograms } from './firewall-programs.ts'
import { linkNames, namespaceNames } from './links.ts'
import { keysOf } from './ruleset.ts'

export interface NetworkBaseline {
  readonly links: readonly string[]
  /** Names in /run/netns. */
  readonly namespaces: readonly string[]
  /** Tables and chains; a flavour that no program could show is missing. */
  readonly rules: Partial<Readonly<Record<Flavour, readonly string[]>>>
  /** Names of the loaded kernel modules; missing in what an older edgeadm wrote. */
  readonly modules?: readonly string[]
}

const file = (directory: string): string => join(directory, 'network-before.json')

export async function lookAtNetwork(host: Look): Promise<NetworkBaseline> {
  // First: a look at the rules may load some.
  const modules = [...(await loadedModules(host)).keys()]
  const rules: Partial<Record<Flavour, string[]>> = {}
  const { programs } = await firewallPrograms(host)
  for (const program of programs) {
    rules[program.flavour] = [...(rules[program.flavour] ?? []), ...keysOf(await program.read())]
  }
  // No table at all is knowledge, too.
  if ((await hasLegacyTables(host)) === false) rules.legacy ??= []
  if (await isLeftUnloaded(host, 'nf_tables')) rules.nf_tables ??= []
  return { links: await linkNames(host), namespaces: await namespaceNames(host), rules, modules }
}

async function hasLegacyTables(host: Look): Promise<boolean> {
  for (const path of ['/proc/net/ip_tables_names', '/proc/net/ip6_tables_names'])
    if (((await host.readFile(path)) ?? '').trim() !== '') return true
  return false
}

/** Durable, and never over an older one: that is from before edgeadm. */
export async function saveBaseline(
  baseline: NetworkBaseline,
  directory: string = STATE_DIRECTORY,
): Promise<void> {
  if ((await readBaseline(directory)) !== undefined) return
  await fs.mkdir(directory, { recursive: true, mode: 0o700 })
  const temporary = join(directory, `.${randomUUID()}`)
  await fs.writeFile(temporary, `${JSON.stringify(baseline)}\n`, { mode: 0o600, flush: true })
  await fs.rename(temporary, file(directory))
}

/** Undefined if edgeadm never came so far on this machine as to let Kubernetes change its network. */
export async function readBaseline(
  directory: string = STATE_DIRECTORY,
): Promise<NetworkBaseline | undefined> {
  try {
    return JSON.parse(await fs.readFile(file(directory), 'utf8')) as NetworkBaseline
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
