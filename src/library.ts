/**
 * `import { apply } from 'edgeadm'`: the fleet for programs. What happens is told by typed events; what is wrong is an EdgeadmError.
 *
 *     const { outcomes } = await apply({ file: 'cluster.yaml', json: true, reporting: { emit: console.log, signal } })
 */

export {
  type ApplyFleetOptions,
  type ApplyResult,
  apply,
  exec,
  type FleetOptions,
  type FleetPlan,
  type HostOutcome,
  hasChanges,
  type Inventory,
  outcomeError,
  type Prepared,
  plan,
  planText,
  type ResetOptions,
  readInventory,
  reset,
  status,
} from './fleet/index.ts'
export type { FleetHost } from './fleet/inventory.ts'
export type { HostAction, PlannedHost } from './fleet/plan.ts'
export type { HostState } from './fleet/report.ts'
export { EdgeadmError, type ErrorClass, EXIT_CODES } from './output/errors.ts'
export type { Emit, Event, EventBody, Reporting } from './output/events.ts'
