/** What `init` and `join` have in common around their list of phases: ledger, journal, dry run. */

import type { InitSettings, JoinSettings } from '../config/types.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Host } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { recordedHost } from '../host/recorded.ts'
import { syncFileSystems } from '../host/sync.ts'
import { UnprivilegedMachine } from '../host/unprivileged.ts'
import { OutsideTraffic } from '../network/outside-traffic.ts'
import type { Reporting } from '../output/events.ts'
import type { PackageManifest } from '../package/index.ts'
import type { NodeContext } from '../phases/context.ts'
import { Journal } from '../phases/journal.ts'
import { checkPhaseNames, type Phase, runPhases } from '../phases/workflow.ts'
import { checkEarlierRun, checkPhase, lastingSettings } from './earlier-run.ts'
import { runOnMachine } from './machine-run.ts'
import { withPhaseConfig } from './phase-config.ts'

/** What phases of a command with these settings are given. */
type ContextOf<S> = NodeContext & { readonly settings: S }

export interface NodeRun<S extends InitSettings | JoinSettings> {
  readonly settings: S
  readonly manifest: PackageManifest | undefined
  readonly phases: readonly Phase<ContextOf<S>>[]
  /** One phase alone: `init phase NAME`. */
  readonly only?: string
  readonly reporting: Reporting
}

/** Runs the phases on this machine, under its lock, every change recorded; or plans them, with `--dry-run`. */
export async function runOnNode<S extends InitSettings | JoinSettings>(run: NodeRun<S>): Promise<void> {
  const { settings, manifest, phases, only, reporting } = run
  const { command, dryRun } = settings
  checkPhaseNames(phases, [...settings.skipPhases, ...(only === undefined ? [] : [only])])
  await runOnMachine({ command, only, phases, settings, reporting }, async () => {
    const ledger = new Ledger()
    const sync = async (): Promise<void> => syncFileSystems(await recordedPaths(ledger))
    const journal = await Journal.open(command, { readOnly: dryRun, sync })
    if (only === undefined) {
      checkEarlierRun(journal, settings)
      journal.begin(lastingSettings(settings))
    } else checkPhase(journal, settings, only)
    const failed = new AbortController()
    const inRun = { ...reporting, signal: AbortSignal.any([reporting.signal, failed.signal]) }
    const hostFor = hosts(dryRun, ledger, inRun)
    const outside = new OutsideTraffic()
    const go = (kubeadmConfig?: string) =>
      runPhases<ContextOf<S>>({
        phases,
        context: (phase, skips) => ({
          ...inRun,
          settings,
          manifest,
          kubeadmConfig,
          skips,
          outside,
          host: hostFor(phase),
        }),
        skip: settings.skipPhases,
        ...(only === undefined ? {} : { only }),
        journal,
        reporting,
        onFailure: () => failed.abort(),
      })
    try {
      await (only === undefined ? go() : withPhaseConfig(settings, manifest, go))
    } finally {
      await outside.discard()
    }
  })
}

/** The last word of a dry run. */
export function reportDryRun({ command, node }: InitSettings | JoinSettings, { emit }: Reporting): void {
  emit({
    type: 'result',
    text: `This was a dry run: ${node.name} is as it was. Without --dry-run, \`edgeadm ${command}\` does what is listed.`,
    data: { node: node.name, dryRun: true },
  })
}

/** Whatever a run changes is on record, so these are on the file systems that it changes. */
export async function recordedPaths(ledger: Ledger): Promise<string[]> {
  const entries = await ledger.entries()
  return [ledger.directory, ...entries.flatMap((entry) => ('path' in entry ? [entry.path] : []))]
}

export function hosts(dryRun: boolean, ledger: Ledger, reporting: Reporting): (phase: string) => Host {
  if (dryRun) return dryRunHosts(readableMachine(reporting), reporting.emit)
  const machine = new LocalMachine(reporting.signal)
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
