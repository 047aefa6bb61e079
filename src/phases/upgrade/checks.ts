/** The checks of an upgrade, all told at once, before anything is changed. */

import { formatHostPort } from '../../config/names.ts'
import { compareVersions, parseVersion } from '../../config/versions.ts'
import type { Look } from '../../host/host.ts'
import { apiGet } from '../../kubernetes/api-request.ts'
import { kubectl, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { KUBELET_CONF } from '../context.ts'
import type { Problem } from '../problem.ts'
import type { Phase } from '../workflow.ts'
import { blockers } from './blockers.ts'
import { clusterState } from './cluster.ts'
import type { MasterUpgradeContext, UpgradeContext } from './context.ts'
import { machineFacts } from './machine.ts'

/** A master, as one that only looks sees it. */
export type MasterLook = Pick<MasterUpgradeContext, 'settings' | 'manifest' | 'upgrade'> & {
  readonly host: Look
}

/** What stands in the way on a master. */
export async function masterProblems(ctx: MasterLook, losesEdits: boolean): Promise<Problem[]> {
  const { host, settings, manifest, upgrade } = ctx
  if (manifest === undefined) throw new EdgeadmError('internal', 'an upgrade has a package')
  const cluster = await clusterState(host, settings.node.name)
  const machine = await machineFacts(host, settings.node.name, settings.certDir, upgrade.from)
  const problems = blockers(
    upgrade.drain ? cluster : { ...cluster, loosePods: [], budgets: [] },
    settings.patchesDirectory === undefined ? machine : { ...machine, manualEdits: '' },
    manifest,
  )
  return problems.map((problem) =>
    losesEdits && problem.check === 'ManualEdits' ? { ...problem, severity: 'warning' } : problem,
  )
}

/** @throws EdgeadmError class `preflight` with all errors; warnings and what is ignored are told */
export function report(problems: readonly Problem[], { settings, emit }: UpgradeContext): void {
  const ignored = settings.ignorePreflightErrors
  const counts = ({ check, severity }: Problem): boolean =>
    severity === 'error' && !ignored.includes('all') && !ignored.includes(check.toLowerCase())
  for (const { check, text } of problems.filter((problem) => !counts(problem)))
    emit({ type: 'warning', text: `${check}: ${text}` })
  const [first, ...rest] = problems.filter(counts).map(({ check, text }) => `[ERROR ${check}]: ${text}`)
  if (first === undefined) return
  throw new EdgeadmError(
    'preflight',
    rest.length === 0 ? first : `${rest.length + 1} things stand in the way`,
    {
      details: rest.length === 0 ? [] : [first, ...rest],
      fix: 'mend them and run the same command again; --ignore-preflight-errors=NAME,… goes on in spite of some',
    },
  )
}

export const masterChecks = (losesEdits: boolean): Phase<MasterUpgradeContext> => ({
  name: 'upgrade/checks',
  title: 'Check whether the cluster can be upgraded',
  preliminary: true,
  run: async (ctx) => report(await masterProblems(ctx, losesEdits), ctx),
})

/** A worker, or a further master: the control plane goes first. */
export const nodeChecks: Phase<UpgradeContext> = {
  name: 'upgrade/checks',
  title: 'Check whether this node can be upgraded',
  preliminary: true,
  run: async (ctx) => {
    const { upgrade, settings } = ctx
    const behind = settings.role === 'master' ? await clusterBehind(ctx) : await apiServersBehind(ctx)
    report(
      [
        ...(behind === undefined
          ? []
          : [{ check: 'ControlPlaneVersion', severity: 'error' as const, text: behind }]),
        ...(compareVersions(upgrade.to, upgrade.from) < 0 && minorOf(upgrade.to) !== minorOf(upgrade.from)
          ? [
              {
                check: 'Version',
                severity: 'error' as const,
                text: `the package has Kubernetes ${upgrade.to}, and this node runs ${upgrade.from}: a node goes back by patches only`,
              },
            ]
          : []),
      ],
      ctx,
    )
  },
}

const minorOf = (version: string): number | undefined => parseVersion(version)?.minor

/** For a further master: `upgrade apply` on the first one says what the cluster is to be. */
async function clusterBehind({ host, upgrade }: UpgradeContext): Promise<string | undefined> {
  const map = await kubectlGet<{ data?: { ClusterConfiguration?: string } }>(host, [
    ...['configmap', 'kubeadm-config', '-n', 'kube-system'],
  ])
  const version = /^kubernetesVersion: (\S+)$/m.exec(map?.data?.ClusterConfiguration ?? '')?.[1]
  return version === upgrade.to
    ? undefined
    : `the cluster is to be Kubernetes ${version}, and the package has ${upgrade.to}: run \`edgeadm upgrade apply\` with this package on another master first`
}

/** For a worker: every API server has to be at least as new as the kubelet. They are asked one by one, as anybody may. */
async function apiServersBehind({ host, upgrade, signal }: UpgradeContext): Promise<string | undefined> {
  const kubeconfig = (await host.readFile(KUBELET_CONF)) ?? ''
  const ca = /certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? ''
  const caPem = Buffer.from(ca, 'base64').toString('utf8')
  for (const at of await apiServers(host, kubeconfig)) {
    const { status, body } = await apiGet({ url: `https://${at}/version`, caPem, signal, timeout: 10_000 })
    if (status !== 200) continue
    const { gitVersion = '' } = JSON.parse(body) as { gitVersion?: string }
    if (compareVersions(gitVersion, upgrade.to) < 0)
      return `the API server at ${at} is ${gitVersion}, and a kubelet must not be newer: upgrade the masters to ${upgrade.to} first`
  }
  return undefined
}

interface Endpoints {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string }[]
    readonly ports?: readonly { readonly port: number }[]
  }[]
}

/** Each of them by its own address; where a kubelet may not read that, the one that it speaks to. */
async function apiServers(host: UpgradeContext['host'], kubeconfig: string): Promise<string[]> {
  const { stdout, exitCode } = await kubectl(
    host,
    ['get', 'endpoints', 'kubernetes', '-n', 'default', '-o', 'json'],
    { kubeconfig: KUBELET_CONF },
  )
  const own = /server: https:\/\/(\S+)/.exec(kubeconfig)?.[1]
  if (exitCode !== 0) return own === undefined ? [] : [own]
  const { subsets = [] } = JSON.parse(stdout) as Endpoints
  return subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.map(({ ip }) => formatHostPort(ip, ports[0]?.port ?? 6443)),
  )
}
