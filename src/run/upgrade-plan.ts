/** `edgeadm upgrade plan`: what would change, and all that stands in the way. Changes nothing. */

import type { UpgradeFlags } from '../config/flags.ts'
import { compareVersions } from '../config/versions.ts'
import type { Reporting } from '../output/events.ts'
import { chainOf } from '../phases/upgrade/blockers.ts'
import { masterProblems } from '../phases/upgrade/checks.ts'
import { clusterState } from '../phases/upgrade/cluster.ts'
import { beginUpgrade, masterSettings } from './upgrade-settings.ts'

interface Row {
  readonly name: string
  readonly role: string
  readonly now: string
  readonly next: string
}

export interface UpgradePlan {
  readonly from: string
  readonly to: string
  /** Minors that need a package of their own before. */
  readonly through: readonly string[]
  readonly nodes: readonly Row[]
  readonly problems: readonly { readonly check: string; readonly severity: string; readonly text: string }[]
  /** Whether anything is older than the package. */
  readonly hasWork: boolean
}

export async function upgradePlan(
  version: string | undefined,
  flags: UpgradeFlags,
  reporting: Reporting,
): Promise<UpgradePlan> {
  const { host, found, opened, upgrade } = await beginUpgrade('upgrade plan', version, flags, reporting)
  const settings = await masterSettings(host, flags, opened)
  const [problems, cluster] = await Promise.all([
    masterProblems({ host, settings, manifest: opened.manifest, upgrade }, false),
    clusterState(host, found.nodeName),
  ])
  const ignored = new Set(settings.ignorePreflightErrors)
  const kubeEdge = opened.manifest.components.find(({ name }) => name === 'kubeedge')?.version
  const nodes = cluster.nodes.map(({ name, role, version: now }) => ({
    name,
    role,
    now,
    next: role === 'edge' ? edgeVersion(now, kubeEdge) : opened.to,
  }))
  const behind = [...cluster.apiServers.values(), cluster.version].some(
    (one) => compareVersions(one, opened.to) < 0,
  )
  return {
    from: cluster.version,
    to: opened.to,
    through: chainOf(cluster.version, opened.to),
    nodes,
    problems: problems.map((problem) =>
      ignored.has('all') || ignored.has(problem.check.toLowerCase())
        ? { ...problem, severity: 'warning' }
        : problem,
    ),
    hasWork: behind || nodes.some(({ now, next }) => now !== next),
  }
}

/** An edge node reports its kubelet and KubeEdge: `v1.32.10-kubeedge-v1.23.1`. */
function edgeVersion(now: string, kubeEdge: string | undefined): string {
  return kubeEdge === undefined ? now : now.replace(/kubeedge-v\S+$/, `kubeedge-${kubeEdge}`)
}

export function planText({ from, to, nodes, problems, hasWork }: UpgradePlan): string {
  const rows = [
    ['NODE', 'ROLE', 'NOW', 'THEN'],
    ...nodes.map(({ name, role, now, next }) => [name, role, now, now === next ? 'as it is' : next]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  )
  const [errors, warnings] = ['error', 'warning'].map((severity) =>
    problems.filter((problem) => problem.severity === severity),
  )
  const list = (head: string, some: typeof problems = []): string[] =>
    some.length === 0 ? [] : ['', head, ...some.map(({ check, text }) => `  ${check}: ${text}`)]
  const last = !hasWork
    ? 'All is at this version already.'
    : (errors ?? []).length > 0
      ? 'Mend what stands in the way first; nothing was changed.'
      : `On this master: edgeadm upgrade apply --install-pkg-path …; then on every other node: edgeadm upgrade node --install-pkg-path …`
  return [
    `Kubernetes ${from} -> ${to}`,
    '',
    ...table,
    ...list('Stands in the way:', errors),
    ...list('Good to know:', warnings),
    '',
    last,
  ].join('\n')
}
