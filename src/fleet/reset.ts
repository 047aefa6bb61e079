/** `edgeadm reset --filename`: the whole cluster down, every machine as it was. Nothing is drained: there is nowhere to go. */

import { EdgeadmError, messageOf } from '../output/errors.ts'
import { selectHosts } from './check-hosts.ts'
import { type HostWork, resetHost } from './host-work.ts'
import type { FleetHost } from './inventory.ts'
import type { KnownHost } from './plan.ts'
import { ConnectionLost, Unreachable } from './ssh/errors.ts'
import { inWindow } from './window.ts'

export interface ResetFleetOptions extends HostWork {
  readonly limits: readonly string[]
  /** Told what is to be reset; false ends it. */
  readonly confirm: (hosts: readonly FleetHost[]) => Promise<boolean>
}

/** Workers and edge nodes side by side, masters after them. @throws EdgeadmError class `preflight`, `usage`: nothing was changed */
export async function resetFleet(options: ResetFleetOptions): Promise<void> {
  const { inventory, session, report, limits, confirm, signal } = options
  const contacts = await session.contact(selectHosts(inventory.hosts, limits))
  const known = contacts.filter((contact) => contact.state === 'known')
  const foreign = known.find(
    ({ facts }) => facts.record !== undefined && facts.record.cluster !== inventory.name,
  )
  if (foreign !== undefined)
    throw new EdgeadmError(
      'preflight',
      `${foreign.host.name} belongs to the cluster "${foreign.facts.record?.cluster}", and ${inventory.file} is "${inventory.name}"; nothing was changed`,
    )
  const ours = known.filter(({ facts }) => facts.record !== undefined || facts.journal !== undefined)
  for (const contact of contacts) {
    if (contact.state === 'unreachable') report.end(contact.host, 'unreachable', contact.why)
    if (contact.state === 'refused') report.fail(contact.host, contact.error)
    if (contact.state === 'known' && !ours.includes(contact))
      report.end(contact.host, 'unchanged', 'edgeadm has set up nothing there')
  }
  if (ours.length === 0) return
  if (!(await confirm(ours.map(({ host }) => host))))
    throw new EdgeadmError('usage', 'not confirmed: nothing was changed')
  const nodes = ours.filter(({ host }) => host.role !== 'master')
  const masters = ours.filter(({ host }) => host.role === 'master')
  for (const [items, parallel] of [
    [nodes, inventory.rollout.parallel],
    [masters, 1],
  ] as const)
    await inWindow({
      items,
      parallel,
      mayBegin: () => !signal.aborted,
      onSkip: ({ host }) => report.end(host, 'skipped', 'not begun: interrupted'),
      work: (one) => resetOne(options, one),
    })
}

async function resetOne(options: ResetFleetOptions, known: KnownHost): Promise<void> {
  const { report } = options
  const { host } = known
  report.begin(host, 'edgeadm reset')
  try {
    await resetHost(options, known)
    report.end(host, 'done', 'reset')
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ConnectionLost)
      report.end(host, 'unreachable', messageOf(error))
    else
      report.fail(
        host,
        error instanceof EdgeadmError ? error : new EdgeadmError('internal', messageOf(error)),
      )
  }
}
