/** What `init` leaves in the cluster for edge nodes that join: ConfigMap kubeedge/edgeadm-edge, key edge.json. */

import type { Components } from '../config/components.ts'
import type { Look } from '../host/host.ts'
import { type KubectlOptions, kubectlGet } from '../kubernetes/kubectl.ts'

export const NAMESPACE = 'kubeedge'
export const FACTS_CONFIG_MAP = 'edgeadm-edge'
export const FACTS_KEY = 'edge.json'
/** CloudCore's CA, for who joins with a bootstrap token; only where CloudCore takes such tokens. */
export const CA_CONFIG_MAP = 'edgeadm-cloudcore-ca'
export const CA_KEY = 'ca.crt'
export const FACTS_SCHEMA = 'edgeadm.io/edge/v1alpha2'

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
  /** Of tokens that the API server takes; it signs with the first. */
  readonly serviceAccountIssuers: readonly string[]
  readonly dnsDomain: string
  /** Where edge Pods find DNS; empty without EdgeMesh. */
  readonly clusterDns: readonly string[]
  /** The cluster's own Pod and Service networks, which an edge node's Pod network must not overlap. */
  readonly networks: readonly string[]
  /** Whether `kubectl logs`, `exec` and `attach` reach edge nodes. */
  readonly stream: boolean
  /** What the user added to the components' own configurations; later runs go on with it. */
  readonly components: Components
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

/** As the cluster has them; undefined without a cloud side, or one of another edgeadm. */
export async function readClusterFacts(
  host: Look,
  options: KubectlOptions = {},
): Promise<ClusterFacts | undefined> {
  const map = await kubectlGet<{ data?: Record<string, string> }>(host, ['configmap', FACTS_CONFIG_MAP], {
    ...options,
    namespace: NAMESPACE,
  })
  return parseClusterFacts(map?.data?.[FACTS_KEY])
}
