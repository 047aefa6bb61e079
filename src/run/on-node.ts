/** What `init` and `join` have in common around their list of phases: lock, ledger, journal, dry run. */

import { rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Host } from '../host/host.ts'
import { Ledger, STATE_DIRECTORY } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { lockMachine } from '../host/lock.ts'
import { endOrphans } from '../host/orphans.ts'
import { recordedHost } from '../host/recorded.ts'
import { UnprivilegedMachine } from '../host/unprivileged.ts'
import type { Reporting } from '../output/events.ts'
import type { PackageManifest } from '../package/index.ts'
import type { NodeContext } from '../phases/context.ts'
import { Journal } from '../phases/journal.ts'
import { checkPhaseNames, type Phase, runPhases } from '../phases/workflow.ts'
import { VERSION } from '../version.ts'
import { checkEarlierRun, lastingSettings } from './earlier-run.ts'

export interface NodeRun<C extends NodeContext> {
  readonly settings: C['settings'] & (InitSettings | JoinSettings)
  readonly manifest: PackageManifest | undefined
  readonly phases: readonly Phase<C>[]
  /** One phase alone: `init phase NAME`. */
  readonly only?: string
  readonly reporting: Reporting
}

/** Runs the phases on this machine, under its lock, every change recorded; or plans them, with `--dry-run`. */
export async function runOnNode<C extends NodeContext>(run: NodeRun<C>): Promise<void> {
  const { settings, manifest, phases, reporting } = run
  checkPhaseNames(phases as readonly Phase<never>[], [
    ...settings.skipPhases,
    ...(run.only === undefined ? [] : [run.only]),
  ])
  const command = run.only === undefined ? settings.command : `${settings.command} phase ${run.only}`
  const unlock = settings.dryRun ? undefined : await lockMachine(command)
  try {
    if (!settings.dryRun) await endOrphans()
    reporting.emit({
      type: 'run',
      command,
      version: VERSION,
      node: hostname(),
      dryRun: settings.dryRun,
      phases: phases.map(({ name }) => name),
    })
    const journal = await Journal.open(settings.command, { readOnly: settings.dryRun })
    if (run.only === undefined) {
      checkEarlierRun(journal, settings)
      journal.begin(lastingSettings(settings))
    }
    for (const text of settings.warnings) reporting.emit({ type: 'warning', text })
    const hostFor = hosts(settings.dryRun, reporting)
    await runPhases<C>({
      phases,
      context: (phase, skips) =>
        ({ ...reporting, settings, manifest, skips, host: hostFor(phase) }) as unknown as C,
      skip: settings.skipPhases,
      ...(run.only === undefined ? {} : { only: run.only }),
      journal,
      reporting,
    })
  } finally {
    if (unlock !== undefined) {
      await removeIfEmpty(STATE_DIRECTORY)
      await unlock()
    }
  }
}

/** The last word of a dry run. */
export function reportDryRun({ command, node }: InitSettings | JoinSettings, { emit }: Reporting): void {
  emit({
    type: 'result',
    text: `This was a dry run: ${node.name} is as it was. Without --dry-run, \`edgeadm ${command}\` does what is listed.`,
    data: { node: node.name, dryRun: true },
  })
}

function hosts(dryRun: boolean, reporting: Reporting): (phase: string) => Host {
  if (dryRun) return dryRunHosts(readableMachine(reporting), reporting.emit)
  const machine = new LocalMachine(reporting.signal)
  const ledger = new Ledger()
  return (phase) => recordedHost(machine, ledger, phase, reporting.emit)
}

/** A dry run takes what it may not read as not there, and says so once. */
function readableMachine({ emit, signal }: Reporting): LocalMachine {
  if (process.getuid?.() === 0) return new LocalMachine(signal)
  let said = false
  return new UnprivilegedMachine(signal, (path) => {
    if (said) return
    said = true
    emit({
      type: 'warning',
      text: `without root's rights ${path} and perhaps more cannot be read: the plan takes them as not there`,
    })
  })
}

/** A run that was refused before its first change leaves no folder either. */
async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  })
}
