import { discover } from '../../kubernetes/discovery-file.ts'
import { KUBELET_CONF } from '../../kubernetes/paths.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { checkNodeName } from './check-node-name.ts'
import { checkClusterVersion } from './cluster-version.ts'

/**
 * kubeadm's discovery, before anything is changed: is the control plane there, is it the one whose CA was named (by hash, or
 * in the discovery file), is the token good, do the clocks agree, may this kubelet join that API server, is the node's name free. kubeadm does most
 * of it again when it joins.
 */
export const discovery: Phase<JoinContext> = {
  name: 'discovery',
  title: 'Find the control plane and check its identity',
  preliminary: true,
  // A node that has its own credentials needs no token any more, and the one given may have expired since.
  verify: async ({ host }) => (await host.stat(KUBELET_CONF)) !== undefined,
  run: async (ctx) => {
    const { settings, signal, emit } = ctx
    const cluster = await discover(settings.discovery, { signal })
    emit({
      type: 'output',
      text:
        settings.discovery.kind === 'token'
          ? `[discovery] Cluster info signature and contents are valid: ${cluster.server}`
          : `[discovery] The API server of the discovery file answers and is verified: ${cluster.server}`,
    })
    await checkClusterVersion(ctx, cluster)
    await checkNodeName(ctx, cluster)
  },
}
