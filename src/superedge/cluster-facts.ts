/** What `init --edge-runtime=superedge` leaves in the cluster for nodes that join: a ConfigMap that bootstrap tokens may read. */

export const FACTS_NAMESPACE = 'kube-system'
export const FACTS_CONFIG_MAP = 'edgeadm-superedge'
export const FACTS_KEY = 'superedge.json'
const SCHEMA = 'edgeadm.io/superedge/v1alpha1'

export interface SuperEdgeFacts {
  readonly schema: string
  /** Whether kube-proxy, or flannel, has a DaemonSet for SuperEdge's nodes: those of a cluster without it have none. */
  readonly kubeProxy: boolean
  readonly flannel: boolean
}

export const makeFacts = (present: Omit<SuperEdgeFacts, 'schema'>): SuperEdgeFacts => ({
  schema: SCHEMA,
  ...present,
})

/** @returns undefined if the text is no such document */
export function parseFacts(text: string | undefined): SuperEdgeFacts | undefined {
  if (text === undefined) return undefined
  try {
    const facts = JSON.parse(text) as SuperEdgeFacts
    return facts.schema === SCHEMA ? facts : undefined
  } catch {
    return undefined
  }
}
