/** `edgeadm certs renew [NAME…]`: which ones, then the phases. */

import { tokenProblem } from '../config/tokens.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Host, Look } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { recordedHost } from '../host/recorded.ts'
import { unrecordedHost } from '../host/unrecorded.ts'
import { endOf } from '../kubernetes/expiry.ts'
import { type FoundCertificate, KUBERNETES, pkiDirectory } from '../kubernetes/node-certificates.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import type { RenewContext, RenewFacts } from '../phases/certs/context.ts'
import { renewPhases } from '../phases/certs-renew.ts'
import { runPhases } from '../phases/workflow.ts'
import { choose } from './choose-certificates.ts'
import { cloudCoreCertificates, ownCertificates } from './find-certificates.ts'
import { runOnMachine } from './machine-run.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

export interface RenewFlags {
  readonly token?: string | undefined
  readonly 'dry-run'?: boolean | undefined
  readonly 'ignore-preflight-errors'?: readonly string[] | undefined
}

export async function renewAll(
  wanted: readonly string[],
  flags: RenewFlags,
  reporting: Reporting,
): Promise<void> {
  const dryRun = flags['dry-run'] === true
  requireLinuxRoot('certs renew', dryRun)
  const problem = flags.token === undefined ? undefined : tokenProblem(flags.token)
  if (problem !== undefined) throw new EdgeadmError('usage', problem)
  const host = readOnlyHost(reporting)
  const own = await ownCertificates(host)
  const isMaster = (await host.stat(`${KUBERNETES}/manifests/kube-apiserver.yaml`)) !== undefined
  const cloud = isMaster ? await cloudIfItAnswers(host, reporting) : []
  const names = choose(wanted, [...own, ...cloud], isMaster)
  if (names.length === 0) {
    const text = 'Nothing has to be renewed: what is here renews itself, and does so in time.'
    return reporting.emit({ type: 'result', text, data: { renewed: [] } })
  }
  refuseEndedCa(own)
  const pki = await pkiDirectory(host)
  if (
    names.includes('kubelet-client') &&
    flags.token === undefined &&
    (await host.stat(`${pki}/ca.key`)) === undefined
  )
    throw new EdgeadmError('preflight', "the kubelet's certificate can only be signed by a master", {
      fix: '`edgeadm token create` on a master prints a token; then `edgeadm certs renew kubelet-client --token TOKEN` here',
    })
  const facts: RenewFacts = {
    nodeName: own.find(({ node }) => node !== undefined)?.node,
    pki,
    isMaster,
    found: own,
  }
  const ignored = (flags['ignore-preflight-errors'] ?? []).map((name) => name.toLowerCase())
  const settings = { names, ignorePreflightErrors: ignored, token: flags.token, dryRun }
  await run(settings, facts, reporting)
  if (dryRun) return
  const after = new Map((await ownCertificates(host)).map(({ name, certificate }) => [name, certificate]))
  const lines = names.map((name) => {
    const now = after.get(name)
    return now === undefined ? name : `${name} (until ${new Date(endOf(now)).toISOString().slice(0, 10)})`
  })
  reporting.emit({
    type: 'result',
    text: `Renewed, and in use: ${lines.join(', ')}.${isMaster ? ' Other masters have certificates of their own: run it there, too, one after the other.' : ''}`,
    data: { renewed: names },
  })
}

async function run(
  settings: RenewContext['settings'],
  facts: RenewFacts,
  reporting: Reporting,
): Promise<void> {
  const common = { dryRun: settings.dryRun, warnings: [] }
  await runOnMachine(
    { command: 'certs renew', only: undefined, phases: renewPhases, settings: common, reporting },
    async () => {
      const machine = new LocalMachine(reporting.signal)
      const hostFor = settings.dryRun
        ? dryRunHosts(machine, reporting.emit)
        : await changingHosts(machine, reporting)
      await runPhases<RenewContext>({
        phases: renewPhases,
        context: (phase, skips) => ({ ...reporting, settings, facts, skips, host: hostFor(phase) }),
        skip: [],
        journal: undefined,
        reporting,
      })
    },
  )
}

/** On a node that edgeadm made, changes go on its record; on one of kubeadm's there is no record to begin. */
async function changingHosts(machine: LocalMachine, { emit }: Reporting): Promise<(phase: string) => Host> {
  const ledger = new Ledger()
  if ((await ledger.entries()).length > 0) return (phase) => recordedHost(machine, ledger, phase, emit)
  return (phase) => unrecordedHost(machine, phase, emit)
}

async function cloudIfItAnswers(host: Look, { emit, signal }: Reporting): Promise<FoundCertificate[]> {
  try {
    return await cloudCoreCertificates(host)
  } catch (error) {
    signal.throwIfAborted()
    emit({
      type: 'warning',
      text: `CloudCore's certificates are not looked at: the API server does not answer (${messageOf(error).split('\n')[0]})`,
    })
    return []
  }
}

/** What an ended CA signs nobody takes. */
function refuseEndedCa(own: readonly FoundCertificate[]): void {
  const ended = own.filter(
    ({ renewal, certificate }) => renewal === 'by hand' && endOf(certificate) < Date.now(),
  )
  if (ended.length === 0) return
  throw new EdgeadmError(
    'preflight',
    `${ended.map(({ name, certificate }) => `${name} ended on ${new Date(endOf(certificate)).toISOString().slice(0, 10)}`).join(', ')}: nothing that it signs is valid`,
    { fix: 'if the clock is right, the CA has to be replaced: docs/certificates.md says how' },
  )
}
