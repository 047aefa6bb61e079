/** How each run on this machine begins and ends: one run at a time, and the event that says what is coming. */

import { rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { STATE_DIRECTORY } from '../host/ledger.ts'
import { lockMachine } from '../host/lock.ts'
import { endOrphans } from '../host/orphans.ts'
import type { Reporting } from '../output/events.ts'
import type { PhaseName } from '../phases/workflow.ts'
import { VERSION } from '../version.ts'

export interface MachineRun {
  /** `init`, `join` or `reset`. */
  readonly command: string
  /** One phase alone. */
  readonly only: string | undefined
  readonly phases: readonly PhaseName[]
  readonly settings: { readonly dryRun: boolean; readonly warnings: readonly string[] }
  readonly reporting: Reporting
}

/**
 * Does the work under the machine's lock, which a dry run does not need.
 * @throws EdgeadmError class `locked`; `preflight` if a command of an earlier run does not end
 */
export async function runOnMachine(run: MachineRun, work: () => Promise<void>): Promise<void> {
  const { only, phases, settings, reporting } = run
  const { dryRun } = settings
  const command = only === undefined ? run.command : `${run.command} phase ${only}`
  // Programs that edgeadm starts make files by the umask that they are given; the caller's may be anything.
  process.umask(0o022)
  const unlock = dryRun ? undefined : await lockMachine(command)
  try {
    if (!dryRun) await endOrphans(reporting.signal)
    reporting.emit({
      type: 'run',
      command,
      version: VERSION,
      node: hostname(),
      dryRun,
      phases: phases.map(({ name }) => name),
    })
    for (const text of settings.warnings) reporting.emit({ type: 'warning', text })
    await work()
  } finally {
    if (unlock !== undefined) {
      await removeIfEmpty(STATE_DIRECTORY)
      await unlock()
    }
  }
}

/** A run that was refused before its first change leaves no folder either. */
async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  })
}
