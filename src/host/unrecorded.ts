import type { Emit } from '../output/events.ts'
import { Door } from './door.ts'
import type { Host } from './host.ts'
import type { Machine } from './machine.ts'

/** A host whose changes go on no record, for commands that only take away: nobody takes those back. */
export function unrecordedHost(machine: Machine, phase: string, emit: Emit): Host {
  return new Door(machine, {
    announce: async ({ action, target }) => emit({ type: 'change', phase, action, target }),
    keep: async () => '',
    hasRecord: async () => true,
  })
}
