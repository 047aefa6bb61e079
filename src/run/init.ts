/** `edgeadm init`: flags to settings, settings through the phases, and the result in kubeadm's words. */

import type { InitFlags } from '../config/flags.ts'
import { gatherFacts, resolveInit } from '../config/load.ts'
import type { InitSettings } from '../config/types.ts'
import type { Look } from '../host/host.ts'
import { MESH_LABELS } from '../kubeedge/mesh.ts'
import { edgeParts } from '../kubeedge/parts.ts'
import type { Reporting } from '../output/events.ts'
import { agentImage } from '../phases/edge/mesh/images.ts'
import { initPhases } from '../phases/init.ts'
import { render } from '../templates.ts'
import { joinLine } from './join-line.ts'
import { noteNewest } from './newest-package.ts'
import { reportDryRun, runOnNode } from './on-node.ts'
import { goOnline } from './online.ts'
import { openPackage } from './package.ts'
import { previousToken, readOnlyHost, requireLinuxRoot } from './prerequisites.ts'
import { recordedInput } from './recorded-input.ts'

/** @param only one phase alone: `init phase NAME` */
export async function runInit(given: InitFlags, reporting: Reporting, only?: string): Promise<void> {
  requireLinuxRoot('init', given['dry-run'] === true)
  const host = readOnlyHost(reporting)
  const { flags, file } = await recordedInput('init', given, host, only)
  const opened = await openPackage(flags, file, reporting, only)
  const { path, versions } = opened
  const resolved = resolveInit({
    flags: {
      token: await previousToken(host),
      ...flags,
      'install-pkg-path': path,
      'install-pkg-public-key': opened.publicKey,
    } as InitFlags,
    file,
    facts: await gatherFacts(host),
    versions,
  })
  const { settings, manifest } = opened.online
    ? await goOnline(resolved, reporting)
    : { settings: resolved, manifest: opened.manifest }
  await runOnNode({
    settings,
    manifest,
    phases: initPhases,
    reporting,
    ...(only === undefined ? {} : { only }),
  })
  if (settings.dryRun) return reportDryRun(settings, reporting)
  if (opened.manifest !== undefined && only === undefined) await noteNewest(opened.manifest, opened.publicKey)
  const kubeEdge = settings.edge.runtime === 'kubeedge' && edgeParts(manifest) !== undefined
  const cloudSide = settings.cloudSide && (kubeEdge || settings.edge.runtime === 'superedge')
  const mesh = cloudSide && kubeEdge && settings.edge.edgeMesh !== false && agentImage(manifest) !== undefined
  if (only === undefined) await report(host, settings, { cloudSide, mesh }, reporting)
  else reportPhase(settings, only, reporting)
}

/** What nobody can look up afterwards: a key or a token that the phase has brought into the cluster. */
function reportPhase(settings: InitSettings, only: string, { emit }: Reporting): void {
  const { certificateKey, token } = settings
  if (only === 'upload-certs' && settings.uploadCerts && !settings.skipCertificateKeyPrint)
    emit({ type: 'result', text: certificateKey ?? '', data: { certificateKey: certificateKey ?? null } })
  if (only === 'bootstrap-token' && !settings.skipTokenPrint)
    emit({ type: 'result', text: token, data: { token } })
}

async function report(
  host: Look,
  settings: InitSettings,
  { cloudSide, mesh }: { readonly cloudSide: boolean; readonly mesh: boolean },
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
      cloudSide,
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
