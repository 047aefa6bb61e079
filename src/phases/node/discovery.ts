import { discover } from '../../kubernetes/discovery-file.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

const KUBELET_CONF = '/etc/kubernetes/kubelet.conf'

/** Milliseconds. A controller manager that has just started signs a new token only after some seconds. */
const TOKEN_WAIT = 30_000

/**
 * kubeadm's discovery, before anything is changed: is the control plane there, is it the one whose CA was named, is the
 * token good, do the clocks agree. kubeadm does it again when it joins.
 */
export const discovery: Phase<JoinContext> = {
  name: 'discovery',
  title: 'Find the control plane and check its identity',
  preliminary: true,
  runIf: ({ settings }) =>
    settings.discovery.kind === 'token' ? true : 'a discovery file was given: kubeadm reads it',
  // A node that has its own credentials needs no token any more, and the one given may have expired since.
  verify: async ({ host }) => (await host.stat(KUBELET_CONF)) !== undefined,
  run: async ({ settings, signal, emit }) => {
    const cluster = await discover(settings.discovery, { signal, tokenWait: TOKEN_WAIT })
    emit({
      type: 'output',
      text: `[discovery] Cluster info signature and contents are valid: ${cluster.server}`,
    })
  },
}
