/** The fleet for commands and for programs: each function reads an inventory and reports as it goes. */

import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { table } from '../output/table.ts'
import { applyPlan } from './apply.ts'
import { selectHosts } from './check-hosts.ts'
import { Cluster } from './cluster.ts'
import { type FleetHost, type Inventory, readInventory } from './inventory.ts'
import type { FleetPlan } from './plan.ts'
import { type Prepared, prepare } from './prepare.ts'
import { FleetReport, type HostOutcome, runFolder } from './report.ts'
import { resetFleet } from './reset.ts'
import { Session } from './session.ts'
import type { Secrets } from './ssh/secrets.ts'

export interface FleetOptions {
  /** Path of the inventory. */
  readonly file: string
  /** NAME (with * and ?), role=ROLE, site=SITE; none: all hosts. */
  readonly limits?: readonly string[]
  readonly acceptNewHostKeys?: boolean
  readonly secrets?: Secrets
  /** Path of the executable for hosts, where the inventory names none. */
  readonly executable?: string | undefined
  /** Whether the hosts' own events are reported. */
  readonly json?: boolean
  readonly reporting: Reporting
}

export interface ApplyFleetOptions extends FleetOptions {
  readonly prune?: boolean
  /** Asked once, with the plan, before anything is changed; false ends it. Default: yes. */
  readonly confirm?: (plan: FleetPlan) => Promise<boolean>
  /** Called before each host: whether it may begin. Default: always. */
  readonly mayBegin?: () => boolean
  /** Where a file per host goes; default ~/.cache/edgeadm/runs/TIME. */
  readonly folder?: string
}

export interface ApplyResult {
  readonly changed: boolean
  readonly outcomes: readonly HostOutcome[]
  readonly folder: string | undefined
  /** A table for people. */
  readonly text: string
  /** Of files for hosts: what left this machine, and what hosts of a site gave each other. */
  readonly bytes: { readonly sent: number; readonly relayed: number }
}

/** What `apply` would do. @throws EdgeadmError class `usage`, `package`, `preflight` */
export async function plan(options: FleetOptions): Promise<Prepared> {
  const inventory = await readInventory(options.file)
  return withSession(options, async (session) => {
    const report = new FleetReport({ ...options, json: false, hosts: inventory.hosts })
    const prepared = await prepare(prepareOptions(options, inventory, session, report, false))
    for (const text of prepared.warnings) report.warn(text)
    return prepared
  })
}

/**
 * Brings the hosts to what the file says.
 * @throws EdgeadmError class `usage`, `package`, `preflight`: nothing was changed. What fails on a host is in its outcome.
 */
export async function apply(options: ApplyFleetOptions): Promise<ApplyResult> {
  const inventory = await readInventory(options.file)
  return withSession(options, async (session) => {
    const folder = options.folder ?? runFolder()
    const selected = selectHosts(inventory.hosts, options.limits ?? [])
    const report = new FleetReport({ ...options, json: options.json === true, hosts: selected, folder })
    report.say(`files of this run: ${folder}`)
    const prepared = await prepare(prepareOptions(options, inventory, session, report, true))
    for (const text of prepared.warnings) report.warn(text)
    const changed = hasChanges(prepared.plan) || (options.prune === true && prepared.plan.orphans.length > 0)
    if (changed) {
      report.say(planText(prepared))
      if (options.confirm !== undefined && !(await options.confirm(prepared.plan)))
        throw new EdgeadmError('usage', 'not confirmed: nothing was changed')
    }
    const bytes = await applyPlan({
      inventory,
      session,
      report,
      prepared,
      signal: options.reporting.signal,
      prune: options.prune === true,
      mayBegin: options.mayBegin ?? (() => true),
    })
    return { changed, outcomes: report.outcomes, folder, text: report.table(), bytes }
  })
}

export interface ResetOptions extends FleetOptions {
  /** Asked once, with the hosts that are to be reset; false ends it. */
  readonly confirm: (hosts: readonly FleetHost[]) => Promise<boolean>
  readonly folder?: string
}

/** Resets all hosts of the inventory. @throws EdgeadmError class `usage`, `preflight`: nothing was changed */
export async function reset(options: ResetOptions): Promise<Omit<ApplyResult, 'changed' | 'bytes'>> {
  const inventory = await readInventory(options.file)
  return withSession(options, async (session) => {
    const folder = options.folder ?? runFolder()
    const limits = options.limits ?? []
    const hosts = selectHosts(inventory.hosts, limits)
    const report = new FleetReport({ ...options, json: options.json === true, hosts, folder })
    report.say(`files of this run: ${folder}`)
    const { signal } = options.reporting
    await resetFleet({ inventory, session, report, signal, limits, confirm: options.confirm })
    return { outcomes: report.outcomes, folder, text: report.table() }
  })
}

interface StatusOfAll {
  readonly text: string
  readonly data: unknown
  readonly silent: readonly string[]
  /** What needs hands in the cluster. */
  readonly problems: readonly string[]
}

/** Who answers, what each is, and what the first master that is up says of the cluster. */
export async function status(options: FleetOptions): Promise<StatusOfAll> {
  const inventory = await readInventory(options.file)
  return withSession(options, async (session) => {
    const contacts = await session.contact(selectHosts(inventory.hosts, options.limits ?? []))
    const rows = contacts.map((contact) => {
      const { host, state } = contact
      const what =
        state === 'unreachable'
          ? contact.why
          : state === 'refused'
            ? contact.error.message
            : contact.facts.record === undefined
              ? 'not set up'
              : `set up ${contact.facts.record.time}`
      return { host: host.name, role: host.role, state: state === 'known' ? 'answers' : state, what }
    })
    const master = contacts.find(
      (contact) => contact.state === 'known' && contact.host.role === 'master' && contact.facts.hasAdminConf,
    )
    const cluster =
      master === undefined ? undefined : new Cluster(await session.connection(master.host), master.host.name)
    const said = await cluster?.status()
    const result = said
      ?.split('\n')
      .map(parseLine)
      .find((event) => event?.type === 'result')
    return {
      text: [
        ...table([
          ['HOST', 'ROLE', 'STATE', ''],
          ...rows.map((row) => [row.host, row.role, row.state, row.what]),
        ]),
        ...(result?.text === undefined ? ['', 'no master is up'] : ['', result.text]),
      ].join('\n'),
      data: { hosts: rows, cluster: result?.data ?? null },
      silent: rows.filter(({ state }) => state !== 'answers').map(({ host }) => host),
      problems: (result?.data as { problems?: readonly string[] } | undefined)?.problems ?? [],
    }
  })
}

function parseLine(line: string): { type?: string; text?: string; data?: unknown } | undefined {
  return line.startsWith('{') ? JSON.parse(line) : undefined
}

/** Runs a shell command as root on hosts, all at once. @returns per host the outcome and what it wrote */
export async function exec(
  options: FleetOptions,
  command: readonly string[],
): Promise<
  readonly { readonly host: FleetHost; readonly exitCode: number | undefined; readonly output: string }[]
> {
  const inventory = await readInventory(options.file)
  const hosts = selectHosts(inventory.hosts, options.limits ?? [])
  return withSession(options, async (session) => {
    const contacts = await session.contact(hosts)
    return Promise.all(
      contacts.map(async (contact) => {
        const { host } = contact
        if (contact.state === 'unreachable') return { host, exitCode: undefined, output: contact.why }
        if (contact.state === 'refused') return { host, exitCode: undefined, output: contact.error.message }
        const connection = await session.connection(host)
        const { exitCode, stdout, stderr } = await connection.runAsRoot('exec "$@"', command, {
          timeout: 0,
          signal: options.reporting.signal,
        })
        return { host, exitCode, output: `${stdout}${stderr}`.trimEnd() }
      }),
    )
  })
}

export const hasChanges = ({ hosts }: FleetPlan): boolean => hosts.some(({ action }) => action !== 'none')

/** For people: a line per host, and what is done on it. */
export function planText({ plan: { hosts, orphans }, unreachable, refused }: Prepared): string {
  const rows = [
    ...hosts.map(({ host, action, changes }) => [host.name, host.role, action, changes[0] ?? ''] as const),
    ...unreachable.map(({ host, why }) => [host.name, host.role, 'unreachable', why] as const),
    ...refused.map(({ host, error }) => [host.name, host.role, 'refused', error.message] as const),
  ]
  const more = new Map(hosts.map(({ host, changes }) => [host.name, changes.slice(1)]))
  const lines = rows.flatMap((row) => [
    row,
    ...(more.get(row[0]) ?? []).map((change) => ['', '', '', change]),
  ])
  return [
    ...table([['HOST', 'ROLE', 'ACTION', ''], ...lines]),
    ...orphans.map(
      ({ name }) =>
        `${name} is a node of this fleet and no longer in the file: --prune takes it out of the cluster; its machine needs \`edgeadm reset\``,
    ),
  ].join('\n')
}

/** The error that a run over hosts ends with: some failed, or did not answer. Undefined: neither. */
export function outcomeError(outcomes: readonly HostOutcome[]): EdgeadmError | undefined {
  const of = (...states: readonly HostOutcome['state'][]) =>
    outcomes.filter(({ state }) => states.includes(state))
  const failed = of('failed')
  const skipped = of('skipped')
  const unreachable = of('unreachable')
  const names = (list: readonly HostOutcome[]) => list.map(({ host }) => host.name).join(', ')
  const again = 'run the same command again: what is done stays, and the rest goes on'
  if (failed.length > 0 || skipped.length > 0)
    return new EdgeadmError(
      'hosts',
      `of ${outcomes.length} hosts ${failed.length} failed${failed.length === 0 ? '' : ` (${names(failed)})`}${skipped.length === 0 ? '' : `, and ${skipped.length} were not begun (${names(skipped)})`}`,
      { fix: again },
    )
  if (unreachable.length === 0) return undefined
  return new EdgeadmError(
    'unreachable',
    `${unreachable.length} of ${outcomes.length} hosts did not answer: ${names(unreachable)}`,
    {
      fix: again,
    },
  )
}

async function withSession<T>(options: FleetOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session({
    acceptNewHostKeys: options.acceptNewHostKeys === true,
    secrets: options.secrets ?? {},
    signal: options.reporting.signal,
  })
  try {
    return await work(session)
  } finally {
    session.close()
  }
}

function prepareOptions(
  options: FleetOptions,
  inventory: Inventory,
  session: Session,
  report: FleetReport,
  attach: boolean,
): Parameters<typeof prepare>[0] {
  return {
    inventory,
    limits: options.limits ?? [],
    executable: inventory.executable ?? options.executable,
    session,
    report,
    signal: options.reporting.signal,
    attach,
  }
}

export type { FleetPlan, HostOutcome, Inventory, Prepared }
export { readInventory }
