import type { Emit } from '../output/events.ts'
import type { Host } from './host.ts'
import type { Machine } from './machine.ts'
import { MachineHost } from './machine-host.ts'

/** A host whose changes go on no record, for commands that only take away: nobody takes those back. */
export function unrecordedHost(machine: Machine, phase: string, emit: Emit): Host {
  return new MachineHost(machine, {
    announce: async ({ action, target }) => emit({ type: 'change', phase, action, target }),
    keep: async () => '',
    hasRecord: async () => true,
  })
}
