import { changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { withEdge } from './with-edge.ts'

export interface DaemonSet {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: { readonly template: { readonly spec: { readonly affinity?: Affinity } } }
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

const NOT_ON_EDGES = { key: 'node-role.kubernetes.io/edge', operator: 'DoesNotExist' } as const

/** The terms that keep a DaemonSet off edge nodes: its own, each with one more expression. Undefined if they do already. */
export function termsOffEdges(daemonSet: DaemonSet): readonly NodeSelectorTerm[] | undefined {
  const required =
    daemonSet.spec.template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const terms = required?.nodeSelectorTerms ?? []
  const says = ({ matchExpressions = [] }: NodeSelectorTerm) =>
    matchExpressions.some(({ key }) => key === NOT_ON_EDGES.key)
  if (terms.length > 0 && terms.every(says)) return undefined
  // Terms are alternatives: each of them has to say it.
  return (terms.length > 0 ? terms : [{}]).map((term) =>
    says(term) ? term : { ...term, matchExpressions: [...(term.matchExpressions ?? []), NOT_ON_EDGES] },
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
  verify: async () => true,
  run: async ({ host, settings }) => {
    if (settings.dryRun) return
    const list = await kubectlGet<{ items: DaemonSet[] }>(host, ['daemonsets', '--all-namespaces'])
    for (const daemonSet of list?.items ?? []) {
      const { name, namespace } = daemonSet.metadata
      if (namespace === 'kubeedge') continue
      const terms = termsOffEdges(daemonSet)
      if (terms === undefined) continue
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
  },
}
