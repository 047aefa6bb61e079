import { initDocuments, joinDocuments } from '../../kubernetes/kubeadm-config.ts'
import { KUBEADM_CONFIG, type NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** Writes the one file that drives kubeadm. It holds the token: only root reads it, and it goes with reset. */
export const kubeadmConfig: Phase<NodeContext> = {
  name: 'kubernetes/config',
  title: 'Write the kubeadm configuration',
  run: async ({ host, settings }) => {
    const text = settings.command === 'init' ? initDocuments(settings) : joinDocuments(settings)
    await host.writeFile(KUBEADM_CONFIG, text, { mode: 0o600, secret: true })
  },
}
