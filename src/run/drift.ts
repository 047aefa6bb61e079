/** `edgeadm status --drift`: what of what edgeadm wrote on this machine is different by now. */

import { hostname } from 'node:os'
import { type Drift, findDrift } from '../host/drift.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { requireLinuxRoot } from './prerequisites.ts'

export interface DriftReport {
  readonly node: string
  readonly drift: readonly Drift[]
}

/** @throws EdgeadmError class `preflight` without root's rights: the record is for root alone */
export async function driftReport({ signal }: Reporting): Promise<DriftReport> {
  requireLinuxRoot('status --drift', false)
  return { node: hostname(), drift: await findDrift(new LocalMachine(signal), new Ledger()) }
}

export function driftText({ node, drift }: DriftReport): string {
  if (drift.length === 0) return `${node}: all that edgeadm wrote here is as it left it.`
  return drift
    .map(({ what, why, owner }) => `${what}: ${why}${owner === undefined ? '' : ` (${owner})`}`)
    .join('\n')
}

/** The exit code says it, too. */
export function driftError({ node, drift }: DriftReport): EdgeadmError | undefined {
  return drift.length === 0
    ? undefined
    : new EdgeadmError('drift', `${drift.length} of edgeadm's changes on ${node} are different by now`)
}
