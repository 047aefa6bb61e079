import { ADMIN_CONF, type NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

const TARGET = '/root/.kube/config'

/** What kubeadm tells its user to do by hand: kubectl works for root at once. A kubeconfig of the user's own stays. */
export const adminKubeconfig: Phase<NodeContext> = {
  name: 'kubernetes/admin-kubeconfig',
  title: 'Give root the admin kubeconfig',
  runIf: async ({ host }) => {
    const existing = await host.readFile(TARGET)
    if (existing === undefined || existing === (await host.readFile(ADMIN_CONF))) return true
    return `${TARGET} is there already and stays: use --kubeconfig ${ADMIN_CONF}`
  },
  run: async ({ host }) => {
    const content = await host.readFile(ADMIN_CONF)
    if (content !== undefined)
      await host.writeFile(TARGET, content, {
        mode: 0o600,
        secret: true,
        format: 'kubeconfig',
      })
  },
}
