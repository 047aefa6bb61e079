/** The part of `plan` and `apply` that changes nothing: connect, facts, what the cluster has, and the plan that follows. */

import { EdgeadmError } from '../output/errors.ts'
import { type PackageManifest, readPackageManifest } from '../package/index.ts'
import { checkHosts, selectHosts } from './check-hosts.ts'
import { Cluster, type ClusterNode } from './cluster.ts'
import { type LocalFile, localFile } from './distribute.ts'
import { followRun } from './host-run.ts'
import type { FleetHost, Inventory } from './inventory.ts'
import { type FleetPlan, type KnownHost, planFleet } from './plan.ts'
import type { FleetReport } from './report.ts'
import type { Contact, Session } from './session.ts'

export interface Prepared {
  readonly plan: FleetPlan
  readonly unreachable: readonly (Contact & { readonly state: 'unreachable' })[]
  readonly refused: readonly (Contact & { readonly state: 'refused' })[]
  /** The master through which the cluster is asked, or the one that is to be the first. */
  readonly primary: FleetHost | undefined
  /** Undefined: there is none yet. */
  readonly cluster: Cluster | undefined
  readonly manifest: PackageManifest | undefined
  readonly executable: LocalFile | undefined
  readonly warnings: readonly string[]
}

export interface PrepareOptions {
  readonly inventory: Inventory
  readonly limits: readonly string[]
  /** Path of the executable that hosts get; undefined: there is none to send. */
  readonly executable: string | undefined
  readonly session: Session
  readonly report: FleetReport
  readonly signal: AbortSignal
  /** Whether a run that is under way on a host is waited for. */
  readonly attach: boolean
}

/** @throws EdgeadmError class `usage`, `package`, `preflight`: nothing was changed */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { inventory, limits, session, report, signal } = options
  const selected = selected_(inventory, limits)
  const masters = inventory.hosts.filter(({ role, absent }) => role === 'master' && !absent)
  const asked = [...new Set([...masters, ...selected])]
  const [contacts, executable, manifest] = await Promise.all([
    session.contact(asked),
    options.executable === undefined ? undefined : localFile('executable', options.executable),
    manifestOf(inventory, signal),
  ])
  const known = contacts.filter((contact) => contact.state === 'known')
  const settled = options.attach ? await Promise.all(known.map((one) => attach(one, options))) : known
  const live = settled.filter(({ host, facts }) => isLiveMaster(host, facts))
  const primary = live[0] ?? firstMaster(masters, contacts, settled)
  const cluster =
    live[0] === undefined ? undefined : new Cluster(await session.connection(live[0].host), live[0].host.name)
  const nodes = await cluster?.nodes()
  const plan = planFleet({
    inventory,
    known: settled.filter(({ host }) => selected.includes(host)),
    nodes,
    primary: primary?.host.name,
    executable: executable?.sha256,
  })
  const { problems, warnings } = checkHosts({
    inventory,
    planned: plan.hosts,
    manifest,
    packageSize: manifest?.files.reduce((sum, { size }) => sum + size, 0) ?? 0,
    nodes,
    ca: live[0]?.facts.ca,
  })
  refuse(problems)
  checkNeeds(plan, inventory, primary, nodes)
  return {
    plan,
    unreachable: contacts.filter((contact) => contact.state === 'unreachable'),
    refused: contacts.filter((contact) => contact.state === 'refused'),
    primary: primary?.host,
    cluster,
    manifest,
    executable,
    warnings: [...inventory.warnings, ...warnings],
  }

  /** A run that somebody began and left is followed to its end; then the host is asked anew. */
  async function attach(one: KnownHost, { session: hosts }: PrepareOptions): Promise<KnownHost> {
    const { host, facts } = one
    if (facts.running === undefined) return one
    report.say(
      `${host.name}: \`${facts.running.command}\` is under way, begun by ${facts.running.holder}: waiting for its end`,
    )
    const reconnect = () => hosts.connection(host)
    await followRun(await reconnect(), reconnect, (event) => report.hostEvent(host, event), signal)
    return { host, facts: await hosts.factsOf(host) }
  }
}

function selected_(inventory: Inventory, limits: readonly string[]): readonly FleetHost[] {
  const selected = selectHosts(inventory.hosts, limits)
  if (selected.length === 0)
    throw new EdgeadmError(
      'usage',
      `--limit ${limits.join(' ')}: no host of ${inventory.file} is meant by it`,
      {
        fix: 'give names (with * and ?), role=master|worker|edge, or site=NAME',
      },
    )
  return selected
}

async function manifestOf(
  { package: path }: Inventory,
  signal: AbortSignal,
): Promise<PackageManifest | undefined> {
  if (path === undefined) return undefined
  if (/^https?:/.test(path))
    throw new EdgeadmError(
      'usage',
      `spec.package: ${path} is an address; a fleet's package is a file on this machine`,
      {
        fix: 'download it first',
      },
    )
  return readPackageManifest(path, { emit: () => {}, signal })
}

const isLiveMaster = ({ role, absent }: FleetHost, { hasAdminConf, record }: KnownHost['facts']): boolean =>
  role === 'master' && !absent && hasAdminConf && record !== undefined

/**
 * Without a master that is up, one becomes the first: never while another, which may be the master of this very cluster,
 * does not answer.
 */
function firstMaster(
  masters: readonly FleetHost[],
  contacts: readonly Contact[],
  known: readonly KnownHost[],
): KnownHost | undefined {
  const silent = contacts.find(({ host, state }) => masters.includes(host) && state !== 'known')
  if (silent !== undefined)
    throw new EdgeadmError(
      'preflight',
      `${silent.host.name} is a master and does not answer, and no other master is up: ${silent.state === 'unreachable' ? silent.why : silent.state === 'refused' ? silent.error.message : ''}`,
      { fix: 'without one that is up nobody knows whether there is a cluster; nothing was changed' },
    )
  const begun = known.find(({ host, facts }) => masters.includes(host) && facts.journal === 'init')
  return begun ?? known.find(({ host }) => host === masters[0])
}

function refuse(problems: readonly string[]): void {
  const [first] = problems
  if (first === undefined) return
  if (problems.length === 1) throw new EdgeadmError('preflight', `${first}; nothing was changed`)
  throw new EdgeadmError('preflight', `the hosts have ${problems.length} problems, and nothing was changed`, {
    details: problems,
  })
}

function checkNeeds(
  { hosts }: FleetPlan,
  inventory: Inventory,
  primary: KnownHost | undefined,
  nodes: readonly ClusterNode[] | undefined,
): void {
  const joining = hosts.filter(({ action }) => action === 'init' || action === 'join' || action === 'replace')
  if (joining.length > 0 && inventory.package === undefined)
    throw new EdgeadmError(
      'usage',
      `${inventory.file}: spec.package is missing: ${joining[0]?.host.name} needs it`,
      {
        fix: '`edgeadm package build` makes a package',
      },
    )
  if (nodes === undefined && joining.length > 0 && !joining.some(({ host }) => host === primary?.host))
    throw new EdgeadmError(
      'usage',
      `there is no cluster yet, and --limit leaves out its first master, ${primary?.host.name}`,
    )
}
