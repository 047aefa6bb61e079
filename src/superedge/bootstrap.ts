/** What a machine with a join line learns before it becomes SuperEdge's edge node: over verified TLS, with the token's own rights. */

import type { JoinSettings } from '../config/types.ts'
import { apiGet } from '../kubernetes/api-request.ts'
import { discover } from '../kubernetes/discovery-file.ts'
import { EdgeadmError } from '../output/errors.ts'
import {
  FACTS_CONFIG_MAP,
  FACTS_KEY,
  FACTS_NAMESPACE,
  parseFacts,
  type SuperEdgeFacts,
} from './cluster-facts.ts'

/** Milliseconds. */
const TIMEOUT = 10_000
const ON_MASTER = '`edgeadm init phase edge/superedge --edge-runtime=superedge` on a master'

export interface SuperEdgeBootstrap {
  readonly facts: SuperEdgeFacts
  /** `https://host:port`, the control plane's own word for it. */
  readonly server: string
  /** The cluster's CA. */
  readonly caPem: string
}

/** @throws EdgeadmError class `discovery`: who cannot be reached or trusted, or what the cluster lacks */
export async function bootstrapSuperEdge(
  { discovery, tlsBootstrapToken }: JoinSettings,
  signal: AbortSignal,
): Promise<SuperEdgeBootstrap> {
  if (discovery.kind === 'ticket') throw new EdgeadmError('internal', 'an edge token leads to no API server')
  if (tlsBootstrapToken === undefined)
    throw new EdgeadmError('usage', 'an edge node joins with a bootstrap token, and none was given', {
      fix: 'add --tls-bootstrap-token to --discovery-file',
    })
  const { server, caPem } = await discover(discovery, { signal })
  const base = discovery.kind === 'token' ? `https://${discovery.endpoint}` : server
  const response = await apiGet({
    url: `${base}/api/v1/namespaces/${FACTS_NAMESPACE}/configmaps/${FACTS_CONFIG_MAP}`,
    caPem,
    signal,
    timeout: TIMEOUT,
    bearerToken: tlsBootstrapToken,
  })
  if (response.status === 401)
    throw new EdgeadmError('discovery', 'the API server does not take the bootstrap token: it has expired', {
      fix: '`edgeadm token create --print-join-command` on a master prints a new join line',
    })
  // A token that may not read it: without the Role that comes with it, or of another group.
  if (response.status === 403 || response.status === 404)
    throw new EdgeadmError(
      'discovery',
      "this cluster has no kube-proxy and Pod network for SuperEdge's nodes, or the bootstrap token is for another role",
      { fix: `${ON_MASTER} installs them` },
    )
  if (response.status !== 200)
    throw new EdgeadmError('discovery', `the API server answered HTTP ${response.status} to ${response.body}`)
  const { data } = JSON.parse(response.body) as { data?: Record<string, string> }
  const facts = parseFacts(data?.[FACTS_KEY])
  if (facts !== undefined) return { facts, server, caPem }
  throw new EdgeadmError(
    'discovery',
    `ConfigMap ${FACTS_NAMESPACE}/${FACTS_CONFIG_MAP} is not one that this edgeadm can read`,
    { fix: 'use the edgeadm that the master was made with' },
  )
}
