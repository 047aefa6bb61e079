/** `edgeadm init`: flags to settings, settings through the phases, and the result in kubeadm's words. */

import type { InitFlags } from '../config/flags.ts'
import { gatherFacts, readConfigFile, resolveInit } from '../config/load.ts'
import type { InitSettings } from '../config/types.ts'
import type { Host } from '../host/host.ts'
import { MESH_LABELS } from '../kubeedge/mesh.ts'
import { edgeParts } from '../kubeedge/parts.ts'
import type { Reporting } from '../output/events.ts'
import { agentImage } from '../phases/edge/mesh/images.ts'
import { initPhases } from '../phases/init.ts'
import { render } from '../templates.ts'
import { joinLine } from './join-line.ts'
import { reportDryRun, runOnNode } from './on-node.ts'
import { openPackage } from './package.ts'
import { previousToken, readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

/** @param only one phase alone: `init phase NAME` */
export async function runInit(flags: InitFlags, reporting: Reporting, only?: string): Promise<void> {
  requireLinuxRoot('init', flags['dry-run'] === true)
  const host = readOnlyHost(reporting)
  const file = flags.config === undefined ? undefined : await readConfigFile(flags.config)
  const { path, manifest, versions } = await openPackage(flags, file, reporting)
  const settings = resolveInit({
    flags: { token: await previousToken(host), ...flags, 'install-pkg-path': path } as InitFlags,
    file,
    facts: await gatherFacts(host),
    versions,
  })
  await runOnNode({
    settings,
    manifest,
    phases: initPhases,
    reporting,
    ...(only === undefined ? {} : { only }),
  })
  if (settings.dryRun) return reportDryRun(settings, reporting)
  const kubeEdge = settings.edge.runtime === 'kubeedge' && edgeParts(manifest) !== undefined
  const enableEdge = settings.enableEdge && (kubeEdge || settings.edge.runtime === 'superedge')
  const mesh =
    enableEdge && kubeEdge && settings.edge.edgeMesh !== false && agentImage(manifest) !== undefined
  if (only === undefined) await report(host, settings, { enableEdge, mesh }, reporting)
}

async function report(
  host: Host,
  settings: InitSettings,
  { enableEdge, mesh }: { readonly enableEdge: boolean; readonly mesh: boolean },
  { emit }: Reporting,
): Promise<void> {
  const line = await joinLine(host, settings)
  const controlPlane =
    settings.certificateKey !== undefined && !settings.skipCertificateKeyPrint
      ? `${line} --control-plane --certificate-key ${settings.certificateKey}`
      : undefined
  emit({
    type: 'result',
    text: render('messages/init-done', {
      line,
      edgeLine: settings.edge.runtime === 'superedge' ? `${line} --edge-runtime=superedge` : line,
      controlPlane,
      cni: settings.cni,
      enableEdge,
      meshLabels: mesh ? MESH_LABELS.join(' ') : undefined,
    }).trimEnd(),
    data: {
      node: settings.node.name,
      kubernetesVersion: settings.kubernetesVersion,
      join: line,
      joinControlPlane: controlPlane ?? null,
    },
  })
}
