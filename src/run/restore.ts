/** `edgeadm restore FILE`: what kind of machine this is, whether it may be restored, then the phases. */

import * as fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { InitFlags } from '../config/flags.ts'
import { gatherFacts, resolveInit } from '../config/load.ts'
import { compareVersions } from '../config/versions.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Look } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { recordedHost } from '../host/recorded.ts'
import { KUBEADM, kubectlGet } from '../kubernetes/kubectl.ts'
import { kubeletNodeName, pkiDirectory } from '../kubernetes/node-certificates.ts'
import { staticPodFlags } from '../kubernetes/static-pod.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { clusterIdOf } from '../phases/backup/collect.ts'
import { INSTALLED_PACKAGE, KUBEADM_ENV } from '../phases/context.ts'
import { ETCD_MANIFEST } from '../phases/etcd/tools.ts'
import type { OpenBackup, RestoreContext } from '../phases/restore/context.ts'
import { pkiIn } from '../phases/restore/pki.ts'
import { initFromBackup, restorePhases } from '../phases/restore.ts'
import { runPhases } from '../phases/workflow.ts'
import { runOnMachine } from './machine-run.ts'
import { reportDryRun, runOnNode } from './on-node.ts'
import { withBackup } from './open-backup.ts'
import { openPackage } from './package.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'
import { refuseRunning } from './restore-checks.ts'
import { refuseRunningElsewhere } from './restore-elsewhere.ts'
import { savedDocuments } from './saved-documents.ts'

export interface RestoreFlags extends InitFlags {
  readonly 'age-identity'?: string | undefined
  readonly force?: boolean | undefined
}

export async function restore(file: string, flags: RestoreFlags, reporting: Reporting): Promise<void> {
  requireLinuxRoot('restore', flags['dry-run'] === true)
  const host = readOnlyHost(reporting)
  await withBackup(file, flags['age-identity'], reporting.emit, async (backup) => {
    reporting.emit({
      type: 'output',
      text: `[restore] The backup is whole: ${backup.index.node}, ${backup.index.kubernetesVersion}, ${backup.index.time}`,
    })
    await checkCluster(backup, file)
    const isMaster = await isFinishedMaster(host)
    if (isMaster) await inPlace(host, backup, flags, reporting)
    else await onNewMachine(host, backup, flags, reporting)
  })
}

/** Its name for the cluster is the hash of a CA that it holds. */
async function checkCluster(backup: OpenBackup, file: string): Promise<void> {
  const ca = await fs.readFile(join(backup.directory, pkiIn(backup), 'ca.crt'), 'utf8').catch(() => undefined)
  if (ca !== undefined && clusterIdOf(ca) === backup.index.cluster) return
  throw new EdgeadmError(
    'preflight',
    `${file} is no whole backup of edgeadm: the CA of its cluster is not in it`,
    {
      fix: 'take another one: `edgeadm backup list` shows them',
    },
  )
}

/** A master, or what is left of one. A restore onto a new machine that broke off goes on as what it was. */
async function isFinishedMaster(host: Look): Promise<boolean> {
  if ((await host.stat(ETCD_MANIFEST)) === undefined) return false
  if ((await host.stat(INSTALLED_PACKAGE)) !== undefined) return true
  return (await new Ledger().entries()).length === 0
}

async function inPlace(
  host: Look,
  backup: OpenBackup,
  flags: RestoreFlags,
  reporting: Reporting,
): Promise<void> {
  const { index } = backup
  const pki = await pkiDirectory(host)
  const own = await host.readFile(`${pki}/ca.crt`)
  if (own !== undefined && clusterIdOf(own) !== index.cluster)
    throw new EdgeadmError(
      'preflight',
      `the backup is one of another cluster (${index.cluster.slice(0, 8)}) than this master's (${clusterIdOf(own).slice(0, 8)})`,
      {
        fix: '`edgeadm backup list` shows the backups with their clusters; `edgeadm reset` first, if this machine is to become the other cluster',
      },
    )
  const here = (await host.probe(KUBEADM, ['version', '-o', 'short'], { env: KUBEADM_ENV })).stdout.trim()
  refuseNewer(index.kubernetesVersion, here, 'the Kubernetes on this machine')
  await refuseRunning(host, flags.force === true, reporting)
  await refuseRunningElsewhere(backup, await gatherFacts(host), flags.force === true, reporting.signal)
  const apiFlags = await staticPodFlags(host, 'kube-apiserver')
  const address = apiFlags?.get('advertise-address') ?? index.address
  const facts = {
    nodeName: (await kubeletNodeName(host)) ?? hostname().toLowerCase(),
    apiServer: `${address.includes(':') ? `[${address}]` : address}:${apiFlags?.get('secure-port') ?? '6443'}`,
    pki,
  }
  const settings = { dryRun: flags['dry-run'] === true, warnings: [] }
  await runOnMachine(
    { command: 'restore', only: undefined, phases: restorePhases, settings, reporting },
    async () => {
      const machine = new LocalMachine(reporting.signal)
      const hostFor = settings.dryRun
        ? dryRunHosts(machine, reporting.emit)
        : (phase: string) => recordedHost(machine, new Ledger(), phase, reporting.emit)
      await runPhases<RestoreContext>({
        phases: restorePhases,
        context: (phase, skips) => ({ ...reporting, settings, backup, facts, skips, host: hostFor(phase) }),
        skip: [],
        journal: undefined,
        reporting,
      })
    },
  )
  if (!settings.dryRun) await report(host, backup, facts.nodeName, reporting)
}

/** `init` with the backup's CAs, data and settings; the user's flags beat them. */
async function onNewMachine(
  host: Look,
  backup: OpenBackup,
  given: RestoreFlags,
  reporting: Reporting,
): Promise<void> {
  const { 'age-identity': _identity, force, ...flags } = given
  const facts = await gatherFacts(host)
  await refuseRunningElsewhere(backup, facts, force === true, reporting.signal)
  const saved = await savedDocuments(backup, facts, flags.config)
  const { path, manifest, versions } = await openPackage(flags, saved, reporting)
  for (const version of versions.kubernetesVersions)
    refuseNewer(backup.index.kubernetesVersion, version, versions.source)
  const settings = resolveInit({
    flags: {
      ...backup.index.flags,
      'kubernetes-version': versions.kubernetesVersions.at(-1) ?? backup.index.kubernetesVersion,
      ...flags,
      'install-pkg-path': path,
    } as InitFlags,
    file: saved,
    facts,
    versions,
  })
  await runOnNode({ settings, manifest, phases: initFromBackup(backup), reporting })
  if (settings.dryRun) return reportDryRun(settings, reporting)
  await report(host, backup, settings.node.name, reporting)
}

function refuseNewer(saved: string, here: string, where: string): void {
  if (here === '' || compareVersions(saved, here) <= 0) return
  throw new EdgeadmError(
    'preflight',
    `the backup is one of Kubernetes ${saved}, which is newer than ${where} (${here})`,
    {
      fix: `restore it with a package of ${saved}, on a machine that was reset`,
    },
  )
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  }[]
}

async function report(host: Look, { index }: OpenBackup, node: string, { emit }: Reporting): Promise<void> {
  const list = await kubectlGet<NodeList>(host, ['nodes', '-l', 'node-role.kubernetes.io/control-plane'])
  const others = (list?.items ?? []).map(({ metadata }) => metadata.name).filter((name) => name !== node)
  const lines = [`The cluster is as it was at ${index.time}, and ${node} is its only member of etcd.`]
  if (others.length > 0)
    lines.push(
      `Other masters of then: ${others.join(', ')}. On each: \`edgeadm reset --force\`, then join it with what \`edgeadm token create --print-join-command --control-plane\` prints here.`,
      `One that never comes back: \`edgeadm reset --force --remove-node NAME\` here.`,
    )
  emit({
    type: 'result',
    text: lines.join('\n'),
    data: { node, restored: index.time, cluster: index.cluster, otherMasters: others },
  })
}
