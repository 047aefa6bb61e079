import { withoutSecrets } from '../../kubernetes/kubeadm-config.ts'
import { type JoinContext, KUBEADM_CONFIG } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** The token joins further machines for as long as it lives, and a node that has joined has no use for it. */
export const forgetToken: Phase<JoinContext> = {
  name: 'forget-token',
  title: 'Forget the bootstrap token',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async ({ host }) => {
    const text = await host.readFile(KUBEADM_CONFIG)
    if (text === undefined) return
    await host.writeFile(KUBEADM_CONFIG, withoutSecrets(text), { mode: 0o600, secret: true })
  },
}
