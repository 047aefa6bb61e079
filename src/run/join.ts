/** `edgeadm join`: flags to settings, settings through the phases, and the result in kubeadm's words. */

import type { JoinFlags } from '../config/flags.ts'
import { gatherFacts, resolveJoin } from '../config/load.ts'
import type { JoinSettings } from '../config/types.ts'
import type { Reporting } from '../output/events.ts'
import { isEdge, isSuperEdge } from '../phases/context.ts'
import { joinPhases } from '../phases/join.ts'
import { joinEdgePhases } from '../phases/join-edge.ts'
import { joinSuperEdgePhases } from '../phases/join-superedge.ts'
import { render } from '../templates.ts'
import { noteNewest } from './newest-package.ts'
import { withSourceAddress } from './node-address.ts'
import { reportDryRun, runOnNode } from './on-node.ts'
import { goOnline } from './online.ts'
import { openPackage } from './package.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'
import { recordedInput } from './recorded-input.ts'

/**
 * @param endpoint `host:port` of the API server, as typed
 * @param only one phase alone: `join phase NAME`
 */
export async function runJoin(
  endpoint: string | undefined,
  given: JoinFlags,
  reporting: Reporting,
  only?: string,
): Promise<void> {
  requireLinuxRoot('join', given['dry-run'] === true)
  const host = readOnlyHost(reporting)
  const { flags, file } = await recordedInput('join', given, host, only)
  const opened = await openPackage(flags, file, reporting, only)
  const { path, versions } = opened
  const resolved = resolveJoin({
    endpoint,
    flags: { ...flags, 'install-pkg-path': path, 'install-pkg-public-key': opened.publicKey } as JoinFlags,
    file,
    facts: await gatherFacts(host),
    versions,
  })
  const addressed = await withSourceAddress(host, resolved)
  const { settings, manifest } = opened.online
    ? await goOnline(addressed, reporting)
    : { settings: addressed, manifest: opened.manifest }
  await runOnNode({
    settings,
    manifest,
    phases: phasesFor(settings),
    reporting,
    ...(only === undefined ? {} : { only }),
  })
  if (settings.dryRun) return reportDryRun(settings, reporting)
  if (opened.manifest !== undefined && only === undefined) await noteNewest(opened.manifest, opened.publicKey)
  if (only !== undefined) return
  const role = roleOf(settings)
  reporting.emit({
    type: 'result',
    text: render('messages/join-done', {
      role,
      name: settings.node.name,
      stackedEtcd: (await host.stat('/etc/kubernetes/manifests/etcd.yaml')) !== undefined,
    }).trimEnd(),
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
