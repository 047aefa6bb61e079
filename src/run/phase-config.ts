/** kubeadm's configuration for one phase alone: it is made from this run's settings and goes with the run. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import type { PackageManifest } from '../package/index.ts'
import { isEdge, isSuperEdge } from '../phases/context.ts'
import { kubeadmDocuments } from '../phases/kubernetes/config.ts'

/** In memory, and only root may enter it. The file holds tokens and keys. */
const DIRECTORY = '/run/edgeadm/phase-'

/** @param work is given the file's path; undefined where kubeadm is not driven by this file */
export async function withPhaseConfig(
  settings: InitSettings | JoinSettings,
  manifest: PackageManifest | undefined,
  work: (path: string | undefined) => Promise<void>,
): Promise<void> {
  // SuperEdge's nodes have a file of their own making; edgecore has none.
  if (settings.dryRun || isEdge(settings) || isSuperEdge(settings)) return work(undefined)
  const directory = await mkdtemp(DIRECTORY)
  try {
    const path = join(directory, 'kubeadm.yaml')
    await writeFile(path, kubeadmDocuments(settings, manifest), { mode: 0o600 })
    await work(path)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
