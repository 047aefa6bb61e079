import type { Host } from '../../../host/host.ts'
import { applyManifest, kubectlGet } from '../../../kubernetes/kubectl.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, FACTS_NAMESPACE, makeFacts } from '../../../superedge/cluster-facts.ts'
import { EDGE_LABEL, EDGE_LABEL_VALUE, LITE, LITE_URL } from '../../../superedge/paths.ts'
import { render } from '../../../templates.ts'
import type { InitContext } from '../../context.ts'
import { flannelImage } from '../../kubernetes/flannel.ts'
import { type Phase, trustJournal } from '../../workflow.ts'
import { type DaemonSet, keepOff } from '../affinity.ts'
import { EXPERIMENTAL, isSuperEdgeCluster, requireLiteApiserver } from './runtime.ts'

/** Before anything is changed. */
export const superEdgeCheck: Phase<InitContext> = {
  name: 'edge/superedge-checks',
  title: 'Check the SuperEdge part of the package',
  preliminary: true,
  runIf: isSuperEdgeCluster,
  verify: trustJournal,
  run: async (ctx) => {
    ctx.emit({ type: 'warning', text: EXPERIMENTAL })
    requireLiteApiserver(ctx)
  },
}

/** Undefined: the cluster has no such DaemonSet, but another program for it, or none. */
interface Images {
  readonly kubeProxy: string | undefined
  readonly flannel: string | undefined
}

/**
 * kube-proxy and flannel go past lite-apiserver, and would hang after a restart without the master: SuperEdge's nodes get
 * DaemonSets of their own that go through it, and the ordinary ones are kept off. Both before the first node joins.
 */
export const superEdge: Phase<InitContext> = {
  name: 'edge/superedge',
  title: "Install kube-proxy and flannel for SuperEdge's nodes",
  runIf: isSuperEdgeCluster,
  // No `verify`, so also on a rerun: who installs kube-proxy or flannel anew takes the affinity away.
  run: async (ctx) => {
    const { host, settings } = ctx
    const images: Images = settings.dryRun
      ? planned(ctx)
      : {
          kubeProxy: await keepOffEdge(host, 'kube-system', 'kube-proxy'),
          flannel: await keepOffEdge(host, 'kube-flannel', 'kube-flannel-ds'),
        }
    await applyManifest(host, "SuperEdge's DaemonSets", manifest(images))
  },
}

function planned(ctx: InitContext): Images {
  const { imageRepository, kubernetesVersion, cni } = ctx.settings
  return {
    kubeProxy: `${imageRepository}/kube-proxy:${kubernetesVersion}`,
    flannel: cni === 'flannel' ? flannelImage(ctx) : undefined,
  }
}

/** @returns the image of the ordinary DaemonSet */
async function keepOffEdge(host: Host, namespace: string, name: string): Promise<string | undefined> {
  type WithImage = DaemonSet & { spec: { template: { spec: { containers: { image: string }[] } } } }
  const daemonSet = await kubectlGet<WithImage>(host, ['daemonset', name], { namespace })
  if (daemonSet === undefined) return undefined
  await keepOff(host, daemonSet, EDGE_LABEL)
  return daemonSet.spec.template.spec.containers[0]?.image
}

function manifest({ kubeProxy, flannel }: Images): string {
  const data = {
    label: EDGE_LABEL,
    labelValue: EDGE_LABEL_VALUE,
    nodeCa: LITE.nodeCa,
    kubeconfig: render('edge/superedge/kubeconfig.conf', { nodeCa: LITE.nodeCa, server: LITE_URL }),
  }
  const facts = makeFacts({ kubeProxy: kubeProxy !== undefined, flannel: flannel !== undefined })
  return [
    ...(kubeProxy === undefined
      ? []
      : [render('edge/superedge/kube-proxy.yaml', { ...data, image: kubeProxy })]),
    ...(flannel === undefined ? [] : [render('edge/superedge/flannel.yaml', { ...data, image: flannel })]),
    render('edge/superedge/join-access.yaml', {
      namespace: FACTS_NAMESPACE,
      name: FACTS_CONFIG_MAP,
      key: FACTS_KEY,
      facts,
    }),
  ].join('\n---\n')
}
