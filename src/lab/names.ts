/** Names, roles and addresses of a lab's machines. */

import { EdgeadmError } from '../output/errors.ts'

export type Role = 'master' | 'worker' | 'edge'

export interface MachineSpec {
  readonly name: string
  readonly role: Role
  readonly address: string
}

/** Every lab has a network namespace of its own, so all use the same addresses. */
export const NETWORK = {
  prefix: 24,
  /** Of the bridge; the machines' default route, which leads nowhere. */
  gateway: '10.123.0.1',
  /** Free for tests: virtual addresses of load balancers. */
  virtualAddresses: '10.123.0.240-10.123.0.250',
} as const

/** First host number of each role, so that an address says what it belongs to. */
const FIRST_HOST: Readonly<Record<Role, number>> = { master: 11, worker: 51, edge: 101 }
const MOST: Readonly<Record<Role, number>> = { master: 9, worker: 49, edge: 99 }

export interface MachineCounts {
  readonly masters: number
  readonly workers: number
  readonly edges: number
}

/** `master-1`, `worker-1`, `edge-1`, … @throws {EdgeadmError} class `usage` */
export function machineSpecs(counts: MachineCounts): MachineSpec[] {
  const specs = [
    ...specsOf('master', counts.masters),
    ...specsOf('worker', counts.workers),
    ...specsOf('edge', counts.edges),
  ]
  if (specs.length === 0) throw new EdgeadmError('usage', 'a lab needs at least one machine')
  return specs
}

function specsOf(role: Role, count: number): MachineSpec[] {
  if (!Number.isInteger(count) || count < 0 || count > MOST[role])
    throw new EdgeadmError('usage', `a lab has 0 to ${MOST[role]} ${role}s, not ${count}`)
  return Array.from({ length: count }, (_, index) => ({
    name: `${role}-${index + 1}`,
    role,
    address: `10.123.0.${FIRST_HOST[role] + index}`,
  }))
}

/** @throws {EdgeadmError} class `usage` */
export function checkLabName(name: string): void {
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name))
    throw new EdgeadmError('usage', `"${name}" is no name for a lab`, {
      fix: 'use at most 40 lower-case letters, digits and hyphens, with a letter or digit at both ends',
    })
}
