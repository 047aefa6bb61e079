/** What `init` and `join` have in common around their list of phases: ledger, journal, dry run. */

import type { InitSettings, JoinSettings } from '../config/types.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Host } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { recordedHost } from '../host/recorded.ts'
import { UnprivilegedMachine } from '../host/unprivileged.ts'
import type { Reporting } from '../output/events.ts'
import type { PackageManifest } from '../package/index.ts'
import type { NodeContext } from '../phases/context.ts'
import { Journal } from '../phases/journal.ts'
import { checkPhaseNames, type Phase, runPhases } from '../phases/workflow.ts'
import { checkEarlierRun, lastingSettings } from './earlier-run.ts'
import { runOnMachine } from './machine-run.ts'

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
  const { settings, manifest, phases, only, reporting } = run
  const { command, dryRun } = settings
  checkPhaseNames(phases as readonly Phase<never>[], [
    ...settings.skipPhases,
    ...(only === undefined ? [] : [only]),
  ])
  await runOnMachine(
    { command, only, phases: phases as readonly Phase<never>[], settings, reporting },
    async () => {
      const journal = await Journal.open(command, { readOnly: dryRun })
      if (only === undefined) {
        checkEarlierRun(journal, settings)
        journal.begin(lastingSettings(settings))
      }
      const hostFor = hosts(dryRun, reporting)
      await runPhases<C>({
        phases,
        context: (phase, skips) =>
          ({ ...reporting, settings, manifest, skips, host: hostFor(phase) }) as unknown as C,
        skip: settings.skipPhases,
        ...(only === undefined ? {} : { only }),
        journal,
        reporting,
      })
    },
  )
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
