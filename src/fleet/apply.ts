/** `edgeadm apply -f`: the first master, the other masters one by one, all else in a window; then what leaves. */

import { EdgeadmError, messageOf } from '../output/errors.ts'
import { Cluster } from './cluster.ts'
import { type LocalFile, localFile } from './distribute.ts'
import { Distribution } from './distribution.ts'
import type { JoinData } from './documents.ts'
import { type HostWork, initHost, joinHost, recordHost, removePackages, resetHost } from './host-work.ts'
import { shareOf } from './inventory.ts'
import { packagePath } from './paths.ts'
import { type PlannedHost, taintText } from './plan.ts'
import type { Prepared } from './prepare.ts'
import { ConnectionLost, Unreachable } from './ssh/errors.ts'
import { FailureBudget, inWindow } from './window.ts'

export interface ApplyOptions extends HostWork {
  readonly prepared: Prepared
  /** Whether nodes of the fleet that are no longer in the file are taken out of the cluster. */
  readonly prune: boolean
  /** Ctrl-C, once: nothing new is begun. */
  readonly mayBegin: () => boolean
}

/**
 * Does what is planned. Each host's outcome goes to the report; rejects only for what concerns all of them.
 * @returns bytes of files that left this machine, and those that hosts of a site gave each other
 */
export async function applyPlan(options: ApplyOptions): Promise<Distribution['bytes']> {
  const { prepared, inventory, report } = options
  const { plan, refused, unreachable } = prepared
  const present = inventory.hosts.filter(({ role, absent }) => role !== 'master' && !absent)
  const budget = new FailureBudget(shareOf(inventory.rollout.maxFailures, present.length))
  for (const { host, why } of unreachable) {
    report.end(host, 'unreachable', why)
    if (inventory.rollout.requireAll) budget.count(host.role === 'master')
  }
  for (const { host, error } of refused) {
    report.fail(host, error)
    budget.count(host.role === 'master')
  }
  for (const { host, action } of plan.hosts)
    if (action === 'none') report.end(host, 'unchanged', 'as the file wants it')
  const distribution = new Distribution(options)
  try {
    await new Apply(options, budget, distribution).run()
  } finally {
    await distribution.close()
  }
  return distribution.bytes
}

class Apply {
  readonly #options: ApplyOptions
  readonly #budget: FailureBudget
  readonly #distribution: Distribution
  #package: Promise<LocalFile> | undefined
  #cluster: Cluster | undefined
  #ca = ''
  readonly #data = new Map<boolean, Promise<JoinData>>()

  constructor(options: ApplyOptions, budget: FailureBudget, distribution: Distribution) {
    this.#options = options
    this.#budget = budget
    this.#distribution = distribution
    this.#cluster = options.prepared.cluster
  }

  async run(): Promise<void> {
    const { prepared, inventory, prune } = this.#options
    const { hosts, orphans } = prepared.plan
    const of = (...actions: readonly PlannedHost['action'][]) =>
      hosts.filter(({ action }) => actions.includes(action))
    const joining = of('join', 'replace')
    const first = of('init')[0]
    if (first !== undefined) await this.#one(first, 'edgeadm init', () => this.#init(first))
    // One at a time: etcd takes one new member at a time.
    for (const master of joining.filter(({ host }) => host.role === 'master'))
      await this.#one(master, 'edgeadm join, a master', () => this.#joinMaster(master))
    await inWindow({
      items: joining.filter(({ host }) => host.role !== 'master'),
      parallel: inventory.rollout.parallel,
      mayBegin: this.#mayBegin,
      onSkip: this.#skip,
      work: (one) => this.#one(one, `edgeadm join, ${one.host.role}`, () => this.#join(one)),
    })
    await inWindow({
      items: of('update'),
      parallel: inventory.rollout.parallel,
      mayBegin: this.#mayBegin,
      onSkip: this.#skip,
      work: (one) => this.#one(one, 'update', () => this.#update(one)),
    })
    await this.#removeAll(of('remove'))
    if (prune) for (const { name } of orphans) await this.#prune(name)
    await this.#cleanUp([...joining, ...(first === undefined ? [] : [first])])
  }

  readonly #mayBegin = (): boolean =>
    !this.#budget.isSpent && this.#options.mayBegin() && !this.#options.signal.aborted

  readonly #skip = (one: PlannedHost): void =>
    this.#options.report.end(
      one.host,
      'skipped',
      this.#budget.isSpent ? 'too many hosts failed before it' : 'not begun: interrupted',
    )

  /** Work on one host; what goes wrong on it is its own outcome. */
  async #one(one: PlannedHost, title: string, work: () => Promise<void>): Promise<void> {
    const { report, inventory, signal } = this.#options
    const { host } = one
    if (!this.#mayBegin()) return this.#skip(one)
    report.begin(host, title)
    try {
      await work()
      report.end(host, 'done', one.changes.join('; '))
    } catch (error) {
      if (signal.aborted) return report.end(host, 'skipped', 'detached: what was begun goes on there')
      if (error instanceof Unreachable || error instanceof ConnectionLost) {
        report.end(host, 'unreachable', messageOf(error).replace(`${host.name}: `, ''))
        if (inventory.rollout.requireAll || host.role === 'master') this.#budget.count(host.role === 'master')
        return
      }
      this.#budget.count(host.role === 'master')
      report.fail(
        host,
        error instanceof EdgeadmError
          ? error
          : new EdgeadmError('internal', messageOf(error), { cause: error }),
      )
    }
  }

  /** The executable and the package, as far as they are not there. @returns the package's path on the host */
  async #send(one: PlannedHost): Promise<string> {
    const { inventory, prepared } = this.#options
    this.#package ??= localFile('package', inventory.package ?? '')
    const file = await this.#package
    await this.#distribution.deliver(one, prepared.executable, file)
    return packagePath(file.sha256, file.path)
  }

  async #init(one: PlannedHost): Promise<void> {
    const { session } = this.#options
    await initHost(this.#options, one, await this.#send(one))
    this.#cluster = new Cluster(await session.connection(one.host), one.host.name)
    await this.#finish(one)
  }

  async #joinMaster(one: PlannedHost): Promise<void> {
    const { signal } = this.#options
    await this.#requireCluster().awaitHealthy(signal)
    await this.#join(one)
    await this.#requireCluster().awaitHealthy(signal)
  }

  async #join(one: PlannedHost): Promise<void> {
    const packageFile = await this.#send(one)
    const cluster = this.#requireCluster()
    if (one.action === 'replace') await cluster.removeNode(one.host.name)
    const data = await this.#joinData(one.host.role === 'master')
    const { manifest } = this.#options.prepared
    await joinHost(this.#options, one, packageFile, data, manifest?.kubernetesVersion ?? '')
    await this.#finish(one)
  }

  async #update(one: PlannedHost): Promise<void> {
    const { prepared } = this.#options
    if (one.executable) await this.#distribution.deliver(one, prepared.executable, undefined)
    if (one.labels || one.taints.length > 0) await this.#applyToNode(one)
  }

  /** Labels, the record in the cluster, and the one on the host. */
  async #finish(one: PlannedHost): Promise<void> {
    await this.#applyToNode(one)
    this.#ca = this.#ca === '' ? (await this.#joinData(false)).caCertHash : this.#ca
    await recordHost(this.#options, one, this.#ca)
  }

  async #applyToNode({ host, taints }: PlannedHost): Promise<void> {
    const cluster = this.#requireCluster()
    await cluster.taint(host.name, taints)
    await cluster.label(host.name, this.#options.inventory.name, host.labels, {
      labels: host.labels,
      ...(host.taints === undefined ? {} : { taints: host.taints.map(taintText) }),
    })
  }

  /** Masters one by one; of workers and edge nodes so many at once as may be missing. */
  async #removeAll(leaving: readonly PlannedHost[]): Promise<void> {
    const { inventory } = this.#options
    for (const role of ['edge', 'worker', 'master'] as const) {
      const all = inventory.hosts.filter((host) => host.role === role).length
      await inWindow({
        items: leaving.filter(({ host }) => host.role === role),
        parallel: role === 'master' ? 1 : shareOf(inventory.rollout.maxUnavailable, all),
        mayBegin: this.#mayBegin,
        onSkip: this.#skip,
        work: (one) => this.#one(one, 'leave the cluster', () => this.#remove(one)),
      })
    }
  }

  async #remove(one: PlannedHost): Promise<void> {
    const { prepared, inventory } = this.#options
    const { host, facts } = one
    const cluster = this.#cluster
    const isNode = async () => (await cluster?.nodes())?.some(({ name }) => name === host.name) ?? false
    if (host.role !== 'master' && (await isNode()))
      await cluster?.drain(host.name, inventory.rollout.drainTimeout)
    if (facts.isNode || facts.record !== undefined || facts.journal !== undefined) {
      const executable = facts.executable === undefined ? prepared.executable : undefined
      await this.#distribution.deliver(one, executable, undefined)
      await resetHost(this.#options, one)
    }
    if (await isNode()) await cluster?.removeNode(host.name)
  }

  async #prune(name: string): Promise<void> {
    this.#options.report.say(
      `${name}: it is no longer in the file, and leaves the cluster; its machine stays as it is`,
    )
    await this.#requireCluster().removeNode(name)
  }

  /** The token is taken back, and the packages go from the hosts that are done: they are unpacked. */
  async #cleanUp(set: readonly PlannedHost[]): Promise<void> {
    const { report, signal } = this.#options
    if (signal.aborted) return
    try {
      for (const data of new Set(await Promise.all(this.#data.values())))
        await this.#cluster?.forgetToken(data)
      const done = new Set(report.outcomes.filter(({ state }) => state === 'done').map(({ host }) => host))
      await Promise.all(
        set.filter(({ host }) => done.has(host)).map(({ host }) => removePackages(this.#options, host)),
      )
    } catch (error) {
      // Nothing depends on it: the token ends by itself, and the next apply cleans up.
      report.warn(`not everything could be cleaned up: ${messageOf(error)}`)
    }
  }

  #joinData(forMasters: boolean): Promise<JoinData> {
    const known = this.#data.get(forMasters)
    if (known !== undefined) return known
    const made = this.#requireCluster().joinData(forMasters, this.#options.signal)
    this.#data.set(forMasters, made)
    return made
  }

  #requireCluster(): Cluster {
    if (this.#cluster === undefined) throw new EdgeadmError('preflight', 'there is no master that is up')
    return this.#cluster
  }
}
