/** `edgeadm reset`: what is here, whether it may go, then the phases; and what they left, if anything. */

import { existsSync } from 'node:fs'
import { access, constants, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ResetFlags } from '../config/flags.ts'
import { readConfigFile, resolveReset } from '../config/load.ts'
import { DEFAULT_CERT_DIR } from '../config/resolve-common.ts'
import type { ResetSettings } from '../config/types.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Host } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import type { Machine } from '../host/machine.ts'
import type { Residue } from '../host/undo.ts'
import { unrecordedHost } from '../host/unrecorded.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { gatherResetFacts, type ResetFacts } from '../phases/reset/facts.ts'
import { refuseOwnWay } from '../phases/reset/own-way.ts'
import { resetPhases } from '../phases/reset.ts'
import { checkPhaseNames, runPhases } from '../phases/workflow.ts'
import { runOnMachine } from './machine-run.ts'
import { ONLINE_CACHE } from './online.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

export interface ResetRun {
  readonly flags: ResetFlags
  readonly reporting: Reporting
  /** One phase alone: `reset phase NAME`. */
  readonly only?: string
  /** Undefined where there is no terminal to ask on. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
}

export async function runReset({ flags, reporting, only, confirm }: ResetRun): Promise<void> {
  requireLinuxRoot('reset', flags['dry-run'] === true)
  const file = flags.config === undefined ? undefined : await readConfigFile(flags.config)
  const ledger = new Ledger()
  await requireReadable(ledger.directory)
  const look = readOnlyHost(reporting)
  const facts = await gatherResetFacts(look, ledger, hostname())
  const settings = settingsFor(flags, file, facts)
  checkPhaseNames(resetPhases, [...settings.skipPhases, ...(only === undefined ? [] : [only])])
  refuseForeign(facts)
  if (!facts.isTouched) return reportUntouched(facts, reporting)
  await refuseOwnWay(look, ledger.directory)
  for (const text of scopeOf(facts)) reporting.emit({ type: 'output', text })
  if (!settings.dryRun && !settings.force) await ask(facts, confirm)
  const left = await putBack(settings, facts, ledger, reporting, only)
  if (settings.dryRun) return
  const isLookedFor = only === undefined && !isSkipped(settings, RESIDUE_PHASE)
  const open = left.filter(({ theirs }) => theirs !== true)
  if (!isLookedFor && open.length > 0)
    throw new EdgeadmError('residue', 'not all could be put back', {
      details: open.map(({ what, why }) => `${what}: ${why}`),
      fix: 'mend the causes and run `edgeadm reset` again: it goes on with what is left',
    })
  if (only === undefined && existsSync(ONLINE_CACHE))
    reporting.emit({
      type: 'output',
      text: `Downloads for another run are kept in ${ONLINE_CACHE}: \`rm -r ${ONLINE_CACHE}\` removes them`,
    })
  if (only === undefined) reporting.emit({ type: 'result', ...resultOf(facts.nodeName, isLookedFor, left) })
}

const RESIDUE_PHASE = 'node/residue'

const isSkipped = ({ skipPhases }: ResetSettings, phase: string): boolean =>
  skipPhases.some((name) => phase === name || phase.startsWith(`${name}/`))

function resultOf(
  node: string,
  isLookedFor: boolean,
  kept: readonly Residue[],
): { text: string; data: object } {
  if (!isLookedFor)
    return {
      text: `${node}: what was on record is put back. Nobody looked for what is left: ${RESIDUE_PHASE} was skipped.`,
      data: { node },
    }
  return {
    text:
      kept.length === 0
        ? `${node} is as it was before edgeadm: nothing is left.`
        : `${node} is as it was before edgeadm, but for what was changed since and stays: ${kept.map(({ what }) => what).join(', ')}`,
    data: { node, clean: true, kept: kept.map(({ what }) => what) },
  }
}

/** A dry run needs no root's rights, but this plan is in files that only root reads. */
async function requireReadable(directory: string): Promise<void> {
  try {
    await access(directory, constants.R_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code !== 'EACCES') throw error
    throw new EdgeadmError(
      'preflight',
      `what edgeadm changed is on record in ${directory}, which only root may read`,
      {
        fix: 'run it with sudo: `sudo edgeadm reset --dry-run`',
      },
    )
  }
}

function settingsFor(
  flags: ResetFlags,
  file: Parameters<typeof resolveReset>[0]['file'],
  facts: ResetFacts,
): ResetSettings {
  const kubernetesVersions = facts.kubeadm === undefined ? [] : [facts.kubeadm.version]
  const versions = { kubernetesVersions, source: 'the kubeadm on this machine' }
  const settings = resolveReset({ flags, file, versions })
  return {
    ...settings,
    criSocket: settings.criSocket ?? facts.criSocket,
    // kubeadm's default is a guess; the API server's flags are none.
    certDir: settings.certDir === DEFAULT_CERT_DIR ? (facts.certDir ?? DEFAULT_CERT_DIR) : settings.certDir,
  }
}

function reportUntouched({ nodeName }: ResetFacts, { emit }: Reporting): void {
  emit({
    type: 'result',
    text: `edgeadm has changed nothing on ${nodeName}: there is nothing to put back.`,
    data: { node: nodeName, clean: true },
  })
}

/** --force answers the question whether to reset; it does not make another program's cluster edgeadm's. */
function refuseForeign({ foreign, nodeName, isTouched }: ResetFacts): void {
  if (foreign === undefined) return
  const rest = isTouched ? '; after that `edgeadm reset` puts back what edgeadm changed here' : ''
  throw new EdgeadmError(
    'preflight',
    `${nodeName} is a node of a cluster that edgeadm did not make: it seems to be made by ${foreign.name}. Nothing was changed`,
    { fix: `\`${foreign.removal}\` takes the machine out of that cluster${rest}` },
  )
}

/** What goes, in full, so that nobody resets the wrong machine. */
function scopeOf({ role, nodeName, server, pods }: ResetFacts): string[] {
  const cluster = server === undefined ? '' : ` of the cluster at ${server}`
  const what =
    role === undefined
      ? 'edgeadm has begun to set it up'
      : `${role === 'edge node' ? 'an' : 'a'} ${role}${cluster}`
  return [
    `[reset] This machine is ${nodeName}: ${what}`,
    pods.length === 0
      ? '[reset] No Pods run here'
      : `[reset] ${pods.length} Pods run here and will be stopped, none is drained: ${pods.join(', ')}`,
  ]
}

async function ask({ nodeName }: ResetFacts, confirm: ResetRun['confirm']): Promise<void> {
  if (confirm === undefined) {
    throw new EdgeadmError(
      'usage',
      '`edgeadm reset` asks before it acts, and there is no terminal to ask on',
      { fix: 'give --force if this machine is to be put back as it was before edgeadm' },
    )
  }
  if (
    !(await confirm(`Put ${nodeName} back as it was before edgeadm, and lose what runs and is stored here?`))
  )
    throw new EdgeadmError('usage', 'not confirmed: nothing was changed')
}

async function putBack(
  settings: ResetSettings,
  facts: ResetFacts,
  ledger: Ledger,
  reporting: Reporting,
  only: string | undefined,
): Promise<readonly Residue[]> {
  const residue: Residue[] = []
  await runOnMachine({ command: 'reset', only, phases: resetPhases, settings, reporting }, async () => {
    // What init or join finished is no longer so from here on: neither may go on from there.
    if (!settings.dryRun && only !== RESIDUE_PHASE)
      await rm(join(ledger.directory, 'journal.ndjson'), { force: true })
    const machine = new LocalMachine(reporting.signal)
    const hostFor = hosts(machine, settings.dryRun, reporting)
    const common = { ...reporting, settings, facts, ledger, machine, residue }
    await runPhases({
      phases: resetPhases,
      context: (phase, skips) => ({ ...common, skips, host: hostFor(phase) }),
      skip: settings.skipPhases,
      ...(only === undefined ? {} : { only }),
      journal: undefined,
      reporting,
    })
  })
  return residue
}

function hosts(machine: Machine, dryRun: boolean, { emit }: Reporting): (phase: string) => Host {
  return dryRun ? dryRunHosts(machine, emit) : (phase) => unrecordedHost(machine, phase, emit)
}
