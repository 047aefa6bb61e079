import type { Host } from '../../host/host.ts'
import { changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { withEdge } from './with-edge.ts'

export interface DaemonSet {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly affinity?: Affinity
        readonly volumes?: readonly { readonly hostPath?: { readonly path: string } }[]
      }
    }
  }
}

interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly NodeSelectorTerm[]
    }
  }
}

interface NodeSelectorTerm {
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[]
}

/** On KubeEdge's edge nodes. */
export const KUBEEDGE_LABEL = 'node-role.kubernetes.io/edge'

/** Where a Pod network puts its programs and its configuration. */
const CNI_DIRECTORIES = /^\/(etc|opt)\/cni(\/|$)/

/** kube-proxy and Pod networks that may run on edge nodes. What else a user has there is the user's choice. */
export function networksOnEdges(daemonSets: readonly DaemonSet[]): DaemonSet[] {
  return daemonSets.filter((daemonSet) => {
    const { name, namespace } = daemonSet.metadata
    const { volumes = [] } = daemonSet.spec.template.spec
    const isNetwork =
      (namespace === 'kube-system' && name === 'kube-proxy') ||
      volumes.some(({ hostPath }) => CNI_DIRECTORIES.test(hostPath?.path ?? ''))
    return isNetwork && termsOff(daemonSet, KUBEEDGE_LABEL) !== undefined
  })
}

/**
 * The terms that keep a DaemonSet off nodes with a label: its own, each with one more expression. Undefined if they do
 * already.
 */
export function termsOff(daemonSet: DaemonSet, label: string): readonly NodeSelectorTerm[] | undefined {
  const required =
    daemonSet.spec.template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const terms = required?.nodeSelectorTerms ?? []
  const says = ({ matchExpressions = [] }: NodeSelectorTerm) =>
    matchExpressions.some(({ key }) => key === label)
  if (terms.length > 0 && terms.every(says)) return undefined
  const without = { key: label, operator: 'DoesNotExist' }
  // Terms are alternatives: each of them has to say it.
  return (terms.length > 0 ? terms : [{}]).map((term) =>
    says(term) ? term : { ...term, matchExpressions: [...(term.matchExpressions ?? []), without] },
  )
}

export async function keepOff(host: Host, daemonSet: DaemonSet, label: string): Promise<void> {
  const { name, namespace } = daemonSet.metadata
  const terms = termsOff(daemonSet, label)
  if (terms === undefined) return
  const affinity = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  }
  const patch = JSON.stringify({ spec: { template: { spec: { affinity } } } })
  await changeCluster(
    host,
    `keep DaemonSet ${namespace}/${name} off edge nodes`,
    ['patch', 'daemonset', name, '--type=merge', '-p', patch],
    { namespace },
  )
}

/**
 * kube-proxy and Pod networks tolerate every taint, so only node affinity keeps them off edge nodes, where they would hang
 * whenever the cloud is away. It has to be there before the first edge node registers.
 */
export const edgeAffinity: Phase<InitContext> = {
  name: 'edge/affinity',
  title: 'Keep kube-proxy and the Pod network off edge nodes',
  runIf: withEdge,
  // No `verify`: kubeadm's upgrades write these objects anew, and a rerun has to see to it again.
  run: async ({ host, settings }) => {
    if (settings.dryRun) return
    const list = await kubectlGet<{ items: DaemonSet[] }>(host, ['daemonsets', '--all-namespaces'])
    for (const daemonSet of networksOnEdges(list?.items ?? [])) await keepOff(host, daemonSet, KUBEEDGE_LABEL)
  },
}
