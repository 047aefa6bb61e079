import type { Look } from './host.ts'
import type { Machine } from './machine.ts'
import { readServiceState } from './state.ts'

/** A machine to read from. It has no way to change anything. */
export function lookAt(machine: Machine): Look {
  return {
    probe: (file, args, options) => machine.execute(file, args, options),
    readFile: async (path) => (await machine.readFile(path))?.toString('utf8'),
    list: (path) => machine.list(path),
    stat: (path) => machine.stat(path),
    serviceState: (unit) => readServiceState(machine, unit),
  }
}
