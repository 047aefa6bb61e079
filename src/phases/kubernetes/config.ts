import type { InitSettings, JoinSettings } from '../../config/types.ts'
import { initDocuments, joinDocuments } from '../../kubernetes/kubeadm-config.ts'
import type { PackageManifest } from '../../package/index.ts'
import { KUBEADM_CONFIG, type NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** kubeadm's own. A master that joins learns the cluster's from the cluster, and pulls what the package lacks. */
const DEFAULT_REPOSITORY = 'registry.k8s.io'

/** Writes the one file that drives kubeadm. It holds the token: only root reads it, and it goes with reset. */
export const kubeadmConfig: Phase<NodeContext> = {
  name: 'kubernetes/config',
  title: 'Write the kubeadm configuration',
  run: async ({ host, settings, manifest }) => {
    await host.writeFile(KUBEADM_CONFIG, kubeadmDocuments(settings, manifest), { mode: 0o600, secret: true })
  },
}

export function kubeadmDocuments(
  settings: InitSettings | JoinSettings,
  manifest: PackageManifest | undefined,
): string {
  const repository = settings.command === 'init' ? settings.imageRepository : DEFAULT_REPOSITORY
  const first = `${repository}/kube-apiserver:${settings.kubernetesVersion}`
  const options = { imagesArePreloaded: manifest?.images.some(({ name }) => name === first) === true }
  return settings.command === 'init' ? initDocuments(settings, options) : joinDocuments(settings, options)
}
