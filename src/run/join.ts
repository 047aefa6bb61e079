/** `edgeadm join`: flags to settings, settings through the phases, and the result in kubeadm's words. */

import type { JoinFlags } from '../config/flags.ts'
import { gatherFacts, readConfigFile, resolveJoin } from '../config/load.ts'
import type { JoinSettings } from '../config/types.ts'
import type { Reporting } from '../output/events.ts'
import { isEdge, isSuperEdge } from '../phases/context.ts'
import { joinPhases } from '../phases/join.ts'
import { joinEdgePhases } from '../phases/join-edge.ts'
import { joinSuperEdgePhases } from '../phases/join-superedge.ts'
import { render } from '../templates.ts'
import { reportDryRun, runOnNode } from './on-node.ts'
import { openPackage } from './package.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

/**
 * @param endpoint `host:port` of the API server, as typed
 * @param only one phase alone: `join phase NAME`
 */
export async function runJoin(
  endpoint: string | undefined,
  flags: JoinFlags,
  reporting: Reporting,
  only?: string,
): Promise<void> {
  requireLinuxRoot('join', flags['dry-run'] === true)
  const host = readOnlyHost(reporting)
  const file = flags.config === undefined ? undefined : await readConfigFile(flags.config)
  const { path, manifest, versions } = await openPackage(flags, file, reporting)
  const settings = resolveJoin({
    endpoint,
    flags: { ...flags, 'install-pkg-path': path } as JoinFlags,
    file,
    facts: await gatherFacts(host),
    versions,
  })
  await runOnNode({
    settings,
    manifest,
    phases: phasesFor(settings),
    reporting,
    ...(only === undefined ? {} : { only }),
  })
  if (settings.dryRun) return reportDryRun(settings, reporting)
  if (only !== undefined) return
  const role = roleOf(settings)
  reporting.emit({
    type: 'result',
    text: render('messages/join-done', { role, name: settings.node.name }).trimEnd(),
    data: { node: settings.node.name, role, kubernetesVersion: settings.kubernetesVersion },
  })
}

function phasesFor(settings: JoinSettings): typeof joinPhases {
  if (isSuperEdge(settings)) return joinSuperEdgePhases
  return isEdge(settings) ? joinEdgePhases : joinPhases
}

function roleOf(settings: JoinSettings): 'edge' | 'superedge' | 'worker' | 'master' {
  if (isSuperEdge(settings)) return 'superedge'
  if (isEdge(settings)) return 'edge'
  return settings.controlPlane === undefined ? 'worker' : 'master'
}
