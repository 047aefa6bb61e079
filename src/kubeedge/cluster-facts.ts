/** What `init` leaves in the cluster for edge nodes that join: ConfigMap kubeedge/edgeadm-edge, key edge.json. */

export const NAMESPACE = 'kubeedge'
export const FACTS_CONFIG_MAP = 'edgeadm-edge'
export const FACTS_KEY = 'edge.json'
export const FACTS_SCHEMA = 'edgeadm.io/edge/v1alpha1'

/** CloudCore's ports that an edge node must reach. */
export const PORTS = { hub: 10000, https: 10002, tunnel: 10004 } as const

/** CloudCore's port for API servers. */
export const STREAM_PORT = 10003

export interface ClusterFacts {
  readonly schema: string
  /** Names and IP addresses of CloudCore, all in its certificate; the first is the one to use. */
  readonly cloudAddresses: readonly string[]
  /** With "v". */
  readonly kubeEdgeVersion: string
  readonly kubernetesVersion: string
  /** PEM: public keys of the cluster's ServiceAccount tokens. */
  readonly serviceAccountKeys: string
  readonly serviceAccountIssuer: string
  readonly dnsDomain: string
  /** Where edge Pods find DNS; empty without EdgeMesh. */
  readonly clusterDns: readonly string[]
  /** The cluster's own Pod and Service networks, which an edge node's Pod network must not overlap. */
  readonly networks: readonly string[]
}

/** @returns undefined if the text is not what {@link FACTS_SCHEMA} says */
export function parseClusterFacts(text: string | undefined): ClusterFacts | undefined {
  if (text === undefined) return undefined
  try {
    const facts = JSON.parse(text) as ClusterFacts
    return facts.schema === FACTS_SCHEMA ? facts : undefined
  } catch {
    return undefined
  }
}
