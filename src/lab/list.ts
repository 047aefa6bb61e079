/** Which labs and machines there are, and which of them run. */

import type { MachineSpec } from './names.ts'
import { supervisorOf } from './running.ts'
import { labNames, readLabIfComplete } from './state.ts'

export interface MachineListing extends MachineSpec {
  readonly state: 'running' | 'off'
}

export interface LabListing {
  readonly name: string
  /** Creation was cut short: it can only be deleted. */
  readonly unfinished: boolean
  readonly machines: readonly MachineListing[]
}

export async function listLabs(): Promise<LabListing[]> {
  return Promise.all(
    (await labNames()).map(async (name) => {
      const lab = await readLabIfComplete(name)
      const machines = (lab?.machines ?? []).map(async (machine) => ({
        ...machine,
        state: (await supervisorOf(name, machine.name)) ? ('running' as const) : ('off' as const),
      }))
      return { name, unfinished: lab === undefined, machines: await Promise.all(machines) }
    }),
  )
}
