/** `edgeadm upgrade apply|node|images|abort`: what is here, the checks, the phases, and what to do next. */

import { hostname } from 'node:os'
import type { UpgradeFlags } from '../config/flags.ts'
import type { Look } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { syncFileSystems } from '../host/sync.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import type { PackageManifest } from '../package/index.ts'
import { Journal } from '../phases/journal.ts'
import { abortPhases } from '../phases/upgrade/abort.ts'
import type { MasterUpgradeContext, UpgradeContext, UpgradeOptions } from '../phases/upgrade/context.ts'
import { awaitOwnApi } from '../phases/upgrade/kubeadm.ts'
import { upgradeApplyPhases, upgradeMasterPhases } from '../phases/upgrade-apply.ts'
import { upgradeEdgePhases, upgradeImagesPhases, upgradeWorkerPhases } from '../phases/upgrade-node.ts'
import { checkPhaseNames, type Phase, runPhases } from '../phases/workflow.ts'
import { runOnMachine } from './machine-run.ts'
import { noteNewest } from './newest-package.ts'
import { hosts, recordedPaths } from './on-node.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'
import {
  beginUpgrade,
  type Found,
  findNode,
  isUpgraded,
  masterSettings,
  nodeSettings,
  upgradeOptions,
} from './upgrade-settings.ts'

export type Confirm = ((question: string) => Promise<boolean>) | undefined

interface UpgradeRun<C extends UpgradeContext> {
  readonly command: string
  readonly settings: C['settings']
  readonly manifest: PackageManifest | undefined
  readonly upgrade: UpgradeOptions
  readonly phases: readonly Phase<C>[]
  /** False for what begins anew each time. */
  readonly resumes: boolean
  readonly reporting: Reporting
}

/** @param version as typed; it has to be the package's */
export async function upgradeApply(
  version: string | undefined,
  flags: UpgradeFlags,
  reporting: Reporting,
  confirm: Confirm,
): Promise<void> {
  const { host, found, opened, upgrade } = await beginUpgrade('upgrade apply', version, flags, reporting)
  await awaitApiOf(host, reporting)
  if (await isUpgraded(host, found, opened)) return reportDone(found, opened.to, reporting)
  const settings = await masterSettings(host, flags, opened)
  const phases = upgradeApplyPhases(flags.yes === true)
  checkPhaseNames(phases as readonly Phase<never>[], settings.skipPhases)
  if (found.state === undefined && !settings.dryRun && flags.yes !== true)
    await ask(found, opened.to, confirm)
  await runUpgrade({
    command: 'upgrade apply',
    settings,
    manifest: opened.manifest,
    upgrade,
    phases,
    resumes: true,
    reporting,
  })
  if (settings.dryRun) return reportDry(found, reporting)
  await noteNewest(opened.manifest, opened.publicKey)
  reporting.emit({
    type: 'result',
    text: `${found.nodeName} runs Kubernetes ${opened.to}. Next, on every other master, then on every worker: edgeadm upgrade node --install-pkg-path …; edge nodes after them.`,
    data: { node: found.nodeName, from: upgrade.from, to: opened.to },
  })
}

export async function upgradeNode(flags: UpgradeFlags, reporting: Reporting): Promise<void> {
  const { host, found, opened, upgrade } = await beginUpgrade('upgrade node', undefined, flags, reporting)
  const common = {
    command: 'upgrade node',
    manifest: opened.manifest,
    upgrade,
    resumes: true,
    reporting,
  } as const
  if (found.role === 'master') await awaitApiOf(host, reporting)
  if (await isUpgraded(host, found, opened)) return reportDone(found, opened.to, reporting)
  if (found.role === 'master') {
    const settings = await masterSettings(host, flags, opened)
    await runUpgrade<MasterUpgradeContext>({ ...common, settings, phases: upgradeMasterPhases })
  } else {
    const settings = nodeSettings(found, flags, opened)
    await runUpgrade({
      ...common,
      settings,
      phases: found.role === 'edge' ? upgradeEdgePhases : upgradeWorkerPhases,
    })
  }
  if (flags['dry-run'] === true) return reportDry(found, reporting)
  await noteNewest(opened.manifest, opened.publicKey)
  reporting.emit({
    type: 'result',
    text: `${found.nodeName} runs ${productOf(found)} ${opened.to}.`,
    data: { node: found.nodeName, from: upgrade.from, to: opened.to },
  })
}

/** The package's images come to this node, and nothing that runs is changed: kubeadm and the add-ons need them before. */
export async function upgradeImages(flags: UpgradeFlags, reporting: Reporting): Promise<void> {
  const { found, opened, upgrade } = await beginUpgrade('upgrade images', undefined, flags, reporting)
  const settings = nodeSettings(found, flags, opened)
  await runUpgrade({
    command: 'upgrade images',
    settings,
    manifest: opened.manifest,
    upgrade,
    phases: upgradeImagesPhases,
    resumes: false,
    reporting,
  })
  reporting.emit({
    type: 'result',
    text: `${found.nodeName} has the images of Kubernetes ${opened.manifest.kubernetesVersion}.`,
    data: { node: found.nodeName, kubernetesVersion: opened.manifest.kubernetesVersion },
  })
}

/** @throws EdgeadmError class `preflight` where nothing is to be taken back, or no longer can be */
export async function upgradeAbort(
  flags: UpgradeFlags,
  reporting: Reporting,
  confirm: Confirm,
): Promise<void> {
  requireLinuxRoot('upgrade abort', false)
  const host = readOnlyHost(reporting)
  const found = await findNode(host, hostname())
  const { state } = found
  if (state === undefined)
    throw new EdgeadmError('preflight', `no upgrade of ${found.nodeName} is under way: nothing was changed`)
  if (found.role !== 'master' || state.isPastAbort)
    throw new EdgeadmError(
      'preflight',
      `the programs of ${found.nodeName} were changed already, so the upgrade to ${state.to} cannot be taken back any more`,
      { fix: 'run the same `edgeadm upgrade` command again: it goes on where it stopped' },
    )
  if (flags.yes !== true) {
    const question = `Put ${found.nodeName} back from Kubernetes ${state.to} to ${state.from}?`
    await mustConfirm(question, confirm)
  }
  const upgrade = upgradeOptions(flags, 'apply', found, state.to)
  // No package is needed: all that is put back was saved.
  const settings = nodeSettings(found, flags, {
    path: '',
    manifest: { kubernetesVersion: state.from } as PackageManifest,
    versions: { kubernetesVersions: [], source: '' },
  })
  await runUpgrade<UpgradeContext>({
    command: 'upgrade abort',
    settings,
    manifest: undefined,
    upgrade,
    phases: abortPhases as readonly Phase<UpgradeContext>[],
    resumes: false,
    reporting,
  })
  reporting.emit({
    type: 'result',
    text: `${found.nodeName} runs Kubernetes ${state.from} again.`,
    data: { node: found.nodeName, version: state.from },
  })
}

async function runUpgrade<C extends UpgradeContext>(run: UpgradeRun<C>): Promise<void> {
  const { command, settings, manifest, upgrade, phases, resumes, reporting } = run
  const { dryRun, skipPhases } = settings
  checkPhaseNames(phases as readonly Phase<never>[], skipPhases)
  const all = phases as readonly Phase<never>[]
  await runOnMachine({ command, only: undefined, phases: all, settings, reporting }, async () => {
    const ledger = new Ledger()
    const sync = async (): Promise<void> => syncFileSystems(await recordedPaths(ledger))
    // Each upgrade has a journal of its own, so that the next one does everything again.
    const journal = resumes
      ? await Journal.open(`${command} ${upgrade.id}`, { readOnly: dryRun, sync })
      : undefined
    const failed = new AbortController()
    const inRun = { ...reporting, signal: AbortSignal.any([reporting.signal, failed.signal]) }
    const hostFor = hosts(dryRun, ledger, inRun)
    await runPhases<C>({
      phases,
      context: (phase, skips) =>
        ({
          ...inRun,
          settings,
          manifest,
          upgrade,
          keepsProxy: true,
          skips,
          host: hostFor(phase),
        }) as unknown as C,
      skip: skipPhases,
      journal,
      reporting,
      onFailure: () => failed.abort(),
    })
  })
}

/** An upgrade that was killed while the API server changed: the kubelet brings it back. */
async function awaitApiOf(host: Look, reporting: Reporting): Promise<void> {
  await awaitOwnApi({ host, ...reporting })
}

async function ask({ nodeName, running }: Found, to: string, confirm: Confirm): Promise<void> {
  await mustConfirm(`Upgrade the control plane on ${nodeName} from Kubernetes ${running} to ${to}?`, confirm)
}

async function mustConfirm(question: string, confirm: Confirm): Promise<void> {
  if (confirm === undefined)
    throw new EdgeadmError('usage', 'this asks before it acts, and there is no terminal to ask on', {
      fix: 'give --yes',
    })
  if (!(await confirm(question))) throw new EdgeadmError('usage', 'not confirmed: nothing was changed')
}

const productOf = ({ role }: Found): string => (role === 'edge' ? 'KubeEdge' : 'Kubernetes')

function reportDone(found: Found, to: string, { emit }: Reporting): void {
  emit({
    type: 'result',
    text: `${found.nodeName} has all of this package already, with ${productOf(found)} ${to}: nothing was changed.`,
    data: { node: found.nodeName, from: to, to, changed: false },
  })
}

function reportDry({ nodeName }: Found, { emit }: Reporting): void {
  emit({
    type: 'result',
    text: `This was a dry run: ${nodeName} is as it was.`,
    data: { node: nodeName, dryRun: true },
  })
}
