/** All hosts looked at together, before anything is changed on any of them. */

import type { PackageManifest } from '../package/index.ts'
import type { ClusterNode } from './cluster.ts'
import type { FleetHost, Inventory } from './inventory.ts'
import type { KnownHost, PlannedHost } from './plan.ts'

export interface HostChecks {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Seconds. Certificates begin to count with the master's clock. */
const CLOCK = { warn: 10, refuse: 60 }
/** The package, what is unpacked of it, and the images in containerd's store. */
const SPACE_FACTOR = 4

export interface CheckInput {
  readonly inventory: Inventory
  readonly planned: readonly PlannedHost[]
  readonly manifest: PackageManifest | undefined
  /** Bytes. */
  readonly packageSize: number
  readonly nodes: readonly ClusterNode[] | undefined
  /** Pin of the CA of the cluster that is there. */
  readonly ca: string | undefined
}

export function checkHosts(input: CheckInput): HostChecks {
  const problems: string[] = []
  const warnings: string[] = []
  const { planned } = input
  const present = planned.filter(({ host }) => !host.absent)
  sameMachine(planned, problems)
  for (const one of present) checkMachine(one, input, problems)
  for (const one of planned) checkMembership(one, input, problems)
  checkClocks(present, problems, warnings)
  const mtus = new Set(present.flatMap(({ facts }) => facts.mtu ?? []))
  if (mtus.size > 1)
    warnings.push(
      `the hosts' networks have different MTUs (${[...mtus].sort((a, b) => a - b).join(', ')}): large packets between Pods may get lost`,
    )
  return { problems, warnings }
}

/** In a sentence. */
const nodeOf = (role: FleetHost['role']): string => (role === 'edge' ? 'an edge node' : `a ${role}`)

function sameMachine(planned: readonly KnownHost[], problems: string[]): void {
  const seen = new Map<string, string>()
  for (const { host, facts } of planned) {
    if (facts.machineId === '') continue
    const other = seen.get(facts.machineId)
    if (other !== undefined)
      problems.push(
        `${host.name} and ${other} have the same /etc/machine-id: they are one machine, or one is a copy of the other (\`rm /etc/machine-id; systemd-machine-id-setup\` on it, and restart it)`,
      )
    seen.set(facts.machineId, host.name)
  }
}

function checkMachine(
  { host, facts, action }: PlannedHost,
  { manifest, packageSize, nodes }: CheckInput,
  problems: string[],
): void {
  if (facts.os !== 'Linux') problems.push(`${host.name}: it runs ${facts.os}, and edgeadm needs Linux`)
  if (facts.missingPrograms.length > 0)
    problems.push(`${host.name}: it has no ${facts.missingPrograms.join(', no ')}`)
  if (action === 'none' || action === 'update') return
  if (manifest !== undefined && facts.arch !== manifest.arch)
    problems.push(`${host.name}: it is an ${facts.arch} machine, and the package is for ${manifest.arch}`)
  if (
    host.role === 'edge' &&
    manifest !== undefined &&
    !manifest.files.some(({ path }) => path === 'bin/edgecore' || path === 'bin/lite-apiserver')
  )
    problems.push(`${host.name}: the package has nothing for edge nodes`)
  const needed = (packageSize * SPACE_FACTOR) / 1024
  if (facts.freeKiB < needed)
    problems.push(
      `${host.name}: /var/lib has ${Math.round(facts.freeKiB / 1024)} MiB left, and ${Math.round(needed / 1024)} MiB are needed`,
    )
  const node = nodes?.find(({ name }) => name === host.name)
  if (action === 'replace' && node?.isReady === true)
    problems.push(
      `${host.name}: the cluster has a node of this name that is Ready, and the machine at ${host.address} is bare: two machines would have one name`,
    )
}

/** Nodes of other clusters are not touched, not even to remove them. */
function checkMembership(
  { host, facts }: PlannedHost,
  { inventory, ca, planned }: CheckInput,
  problems: string[],
): void {
  const { record } = facts
  if (record !== undefined && record.cluster !== inventory.name) {
    problems.push(
      `${host.name}: it belongs to the cluster "${record.cluster}", and this file is "${inventory.name}"`,
    )
    return
  }
  if (record !== undefined && record.role !== host.role && !host.absent) {
    problems.push(
      `${host.name}: it is ${nodeOf(record.role)}, and the file wants ${nodeOf(host.role)}: give it \`state: absent\` first, and the new role after that`,
    )
    return
  }
  const theirs = facts.ca ?? record?.ca
  const expected =
    ca ?? planned.find((one) => one.facts.hasAdminConf && one.facts.record !== undefined)?.facts.ca
  if (theirs !== undefined && expected !== undefined && theirs !== expected) {
    problems.push(
      `${host.name}: it is a node of another cluster${facts.server === undefined ? '' : ` (${facts.server})`}: its CA is another; \`edgeadm reset\` on it makes it free`,
    )
    return
  }
  // A machine that was set up, not by a fleet, and not by an interrupted run of one.
  if (record === undefined && facts.isNode && facts.journal === undefined)
    problems.push(
      `${host.name}: it is a node of a cluster already${facts.server === undefined ? '' : ` (${facts.server})`}, which edgeadm did not set up`,
    )
  else if (record === undefined && facts.isNode && expected === undefined && host.role !== 'master')
    problems.push(
      `${host.name}: it is a node of a cluster${facts.server === undefined ? '' : ` (${facts.server})`} that this file does not know: there is no master yet; \`edgeadm reset\` on it makes it free`,
    )
}

function checkClocks(present: readonly KnownHost[], problems: string[], warnings: string[]): void {
  const offsets = present.map(({ facts }) => facts.clockOffset).sort((a, b) => a - b)
  const median = offsets[Math.floor(offsets.length / 2)] ?? 0
  for (const { host, facts } of present) {
    const off = facts.clockOffset - median
    if (Number.isNaN(off) || Math.abs(off) <= CLOCK.warn) continue
    const text = `${host.name}: its clock is ${Math.abs(off)} s ${off < 0 ? 'behind' : 'ahead of'} the others`
    if (Math.abs(off) > CLOCK.refuse) problems.push(`${text}: certificates would not be valid; set it right`)
    else warnings.push(text)
  }
}

/** Hosts in the file that `--limit` leaves. @returns undefined if the word selects none */
export function selectHosts(hosts: readonly FleetHost[], limits: readonly string[]): readonly FleetHost[] {
  if (limits.length === 0) return hosts
  return hosts.filter((host) => limits.some((limit) => isSelected(host, limit)))
}

/** NAME (with * and ?), role=ROLE, site=SITE */
function isSelected(host: FleetHost, limit: string): boolean {
  const [, key, value = ''] = /^(role|site)=(.*)$/.exec(limit) ?? []
  const text = key === 'role' ? host.role : key === 'site' ? (host.site ?? '') : host.name
  const pattern = (key === undefined ? limit : value)
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(text)
}
