import type { Emit } from '../output/events.ts'
import type { Host } from './host.ts'
import type { Ledger } from './ledger.ts'
import type { Machine } from './machine.ts'
import { MachineHost } from './machine-host.ts'

/** The host for a real run: each change is in the ledger before it is made. `phase` is who makes it. */
export function recordedHost(machine: Machine, ledger: Ledger, phase: string, emit: Emit): Host {
  return new MachineHost(machine, {
    announce: async ({ change, action, target, quiet, content, leaves }) => {
      if (change !== null) await ledger.record(phase, change, leaves?.as)
      if (content !== undefined) await ledger.written(target, content)
      else if (leaves !== undefined && change === null) await ledger.left(leaves.subject, leaves.as)
      if (quiet !== true) emit({ type: 'change', phase, action, target })
    },
    keep: (content) => ledger.keep(content),
    hasRecord: (path) => ledger.hasRecord(path),
  })
}
