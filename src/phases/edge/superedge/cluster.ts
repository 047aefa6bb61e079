import type { Host } from '../../../host/host.ts'
import { applyManifest, kubectlGet } from '../../../kubernetes/kubectl.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, FACTS_NAMESPACE, makeFacts } from '../../../superedge/cluster-facts.ts'
import { EDGE_LABEL, EDGE_LABEL_VALUE, LITE, LITE_URL } from '../../../superedge/paths.ts'
import { render } from '../../../templates.ts'
import type { InitContext } from '../../context.ts'
import { flannelImage } from '../../kubernetes/flannel.ts'
import type { Phase } from '../../workflow.ts'
import { type DaemonSet, keepOff } from '../affinity.ts'
import { EXPERIMENTAL, isSuperEdgeCluster, requireLiteApiserver } from './runtime.ts'

/** Before anything is changed. */
export const superEdgeCheck: Phase<InitContext> = {
  name: 'edge/superedge-checks',
  title: 'Check the SuperEdge part of the package',
  preliminary: true,
  runIf: isSuperEdgeCluster,
  verify: async () => true,
  run: async (ctx) => {
    ctx.emit({ type: 'warning', text: EXPERIMENTAL })
    requireLiteApiserver(ctx)
  },
}

/**
 * kube-proxy and flannel go past lite-apiserver, and would hang after a restart without the master: SuperEdge's nodes get
 * DaemonSets of their own that go through it, and the ordinary ones are kept off. Both before the first node joins.
 */
export const superEdge: Phase<InitContext> = {
  name: 'edge/superedge',
  title: "Install kube-proxy and flannel for SuperEdge's nodes",
  runIf: isSuperEdgeCluster,
  // Also on a rerun: who installs kube-proxy or flannel anew takes the affinity away.
  run: async (ctx) => {
    const { host, settings } = ctx
    const present = settings.dryRun
      ? { kubeProxy: true, flannel: settings.cni === 'flannel' }
      : {
          kubeProxy: await isKeptOff(host, 'kube-system', 'kube-proxy'),
          flannel:
            flannelImage(ctx) !== undefined && (await isKeptOff(host, 'kube-flannel', 'kube-flannel-ds')),
        }
    await applyManifest(host, "SuperEdge's DaemonSets", manifests(ctx, present))
  },
}

/** @returns false if there is no such DaemonSet: the cluster has another program for it */
async function isKeptOff(host: Host, namespace: string, name: string): Promise<boolean> {
  const daemonSet = await kubectlGet<DaemonSet>(host, ['daemonset', name], { namespace })
  if (daemonSet !== undefined) await keepOff(host, daemonSet, EDGE_LABEL)
  return daemonSet !== undefined
}

function manifests(ctx: InitContext, present: { kubeProxy: boolean; flannel: boolean }): string {
  const { settings } = ctx
  const data = {
    label: EDGE_LABEL,
    labelValue: EDGE_LABEL_VALUE,
    nodeCa: LITE.nodeCa,
    kubeconfig: render('edge/superedge/kubeconfig.conf', { nodeCa: LITE.nodeCa, server: LITE_URL }),
  }
  const image = `${settings.imageRepository}/kube-proxy:${settings.kubernetesVersion}`
  return [
    ...(present.kubeProxy ? [render('edge/superedge/kube-proxy.yaml', { ...data, image })] : []),
    ...(present.flannel
      ? [render('edge/superedge/flannel.yaml', { ...data, image: flannelImage(ctx) })]
      : []),
    render('edge/superedge/join-access.yaml', {
      namespace: FACTS_NAMESPACE,
      name: FACTS_CONFIG_MAP,
      key: FACTS_KEY,
      facts: makeFacts(present),
    }),
  ].join('\n---\n')
}
