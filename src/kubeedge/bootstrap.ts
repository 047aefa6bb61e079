/** What a machine with nothing but a kubeadm join line learns of the edge: over verified TLS, with the token's own rights. */

import type { JoinSettings } from '../config/types.ts'
import { type ApiResponse, apiGet } from '../kubernetes/api-request.ts'
import { discover } from '../kubernetes/discovery-file.ts'
import { EdgeadmError } from '../output/errors.ts'
import { type CloudCore, findCloudCore, nodeExists } from './cloudcore-client.ts'
import {
  CA_CONFIG_MAP,
  CA_KEY,
  type ClusterFacts,
  FACTS_CONFIG_MAP,
  FACTS_KEY,
  NAMESPACE,
  parseClusterFacts,
} from './cluster-facts.ts'
import type { EdgeTicket } from './edge-ticket.ts'
import { bootstrapJoinToken, type JoinToken, parseJoinToken } from './join-token.ts'

/** Milliseconds. */
const TIMEOUT = 10_000
const NEW_TOKEN = '`edgeadm token create --print-join-command` on a master prints a new join line'

export interface EdgeBootstrap {
  readonly facts: ClusterFacts
  readonly token: JoinToken
  readonly cloud: CloudCore
  /** The node as the API server has it; undefined if there is none of this name. */
  readonly node: () => Promise<NodeObject | undefined>
  /** False if it is known only whether there is such a node. */
  readonly knowsNodeState: boolean
}

export interface NodeObject {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }[]
    readonly nodeInfo?: { readonly kubeletVersion?: string }
  }
}

/** Without the API server: CloudCore knows the names of nodes, but nothing else about them. */
async function withTicket(
  settings: JoinSettings,
  { token: text, facts }: EdgeTicket,
  signal: AbortSignal,
): Promise<EdgeBootstrap> {
  const token = parseJoinToken(text)
  if (token === undefined) throw new EdgeadmError('usage', '--edge-token holds no token')
  if (token.expires < Date.now())
    throw new EdgeadmError(
      'discovery',
      `the edge token expired at ${new Date(token.expires).toISOString()}`,
      {
        fix: '`edgeadm token create --edge --print-join-command` on a master prints a new join line',
      },
    )
  const cloud = await findCloudCore(addressOf(settings, facts), token, { signal })
  const node = async (): Promise<NodeObject | undefined> =>
    (await nodeExists(cloud, settings.node.name, { signal })) ? { status: { conditions: [] } } : undefined
  return { facts, token, cloud, node, knowsNodeState: false }
}

function addressOf(settings: JoinSettings, facts: ClusterFacts): string {
  const address = settings.edge.cloudAddresses[0] ?? facts.cloudAddresses[0]
  if (address !== undefined) return address
  throw new EdgeadmError('discovery', 'the cluster does not say where CloudCore is', {
    fix: 'name its address with --cloud-address',
  })
}

/** @param mayBeRefused the answer 403 is one, and no error */
type Get = (path: string, what: string, mayBeRefused?: boolean) => Promise<ApiResponse>

/** @throws EdgeadmError class `discovery`: who cannot be reached or trusted, or what the token may not do */
export async function bootstrapEdge(settings: JoinSettings, signal: AbortSignal): Promise<EdgeBootstrap> {
  if (settings.discovery.kind === 'ticket') return withTicket(settings, settings.discovery.ticket, signal)
  const get = await apiClient(settings, signal)
  const facts = await readFacts(get)
  const token = (await tokenAsItIs(get, settings.tlsBootstrapToken)) ?? (await readToken(get))
  return {
    facts,
    token,
    cloud: await findCloudCore(addressOf(settings, facts), token, { signal }),
    knowsNodeState: true,
    node: async () => {
      const response = await get(`/api/v1/nodes/${settings.node.name}`, 'look for nodes')
      return response.status === 404 ? undefined : (JSON.parse(response.body) as NodeObject)
    },
  }
}

async function apiClient(settings: JoinSettings, signal: AbortSignal): Promise<Get> {
  const { discovery, tlsBootstrapToken } = settings
  const cluster = await discover(discovery, { signal })
  if (tlsBootstrapToken === undefined)
    throw new EdgeadmError('usage', 'an edge node joins with a bootstrap token, and none was given', {
      fix: 'add --tls-bootstrap-token to --discovery-file',
    })
  const base = discovery.kind === 'token' ? `https://${discovery.endpoint}` : cluster.server
  return async (path, what, mayBeRefused = false) => {
    const url = `${base}${path}`
    const request = { url, caPem: cluster.caPem, signal, timeout: TIMEOUT, bearerToken: tlsBootstrapToken }
    const response = await apiGet(request)
    if (response.status === 401)
      throw new EdgeadmError(
        'discovery',
        `the API server does not take the bootstrap token: it has expired`,
        {
          fix: NEW_TOKEN,
        },
      )
    if (response.status === 403 && !mayBeRefused)
      throw new EdgeadmError('discovery', `this bootstrap token may not ${what}: it is for another role`, {
        fix: NEW_TOKEN,
      })
    if (![200, 403, 404].includes(response.status))
      throw new EdgeadmError('discovery', `the API server answered HTTP ${response.status} to ${path}`)
    return response
  }
}

async function readFacts(get: Get): Promise<ClusterFacts> {
  const response = await get(
    `/api/v1/namespaces/${NAMESPACE}/configmaps/${FACTS_CONFIG_MAP}`,
    'read what an edge node needs',
  )
  const object = JSON.parse(response.body) as { data?: Record<string, string> }
  if (response.status === 404)
    throw new EdgeadmError('discovery', 'this cluster has no cloud side for edge nodes', {
      fix: 'run `edgeadm init` with a package that has the edge parts on its first master, or join as a worker with --enable-edge=false',
    })
  const facts = parseClusterFacts(object.data?.[FACTS_KEY])
  if (facts !== undefined) return facts
  throw new EdgeadmError(
    'discovery',
    `ConfigMap ${NAMESPACE}/${FACTS_CONFIG_MAP} is not one that this edgeadm can read`,
    {
      fix: 'use the edgeadm that the master was made with',
    },
  )
}

/**
 * The bootstrap token itself, where CloudCore takes it: nobody gets a token that outlives it.
 * @returns undefined where CloudCore is its publisher's, and knows its own join token alone
 */
async function tokenAsItIs(get: Get, token: string | undefined): Promise<JoinToken | undefined> {
  const response = await get(
    `/api/v1/namespaces/${NAMESPACE}/configmaps/${CA_CONFIG_MAP}`,
    "read CloudCore's CA",
    // A cluster of an earlier edgeadm has no right to it.
    true,
  )
  if (response.status !== 200 || token === undefined) return undefined
  const { data } = JSON.parse(response.body) as { data?: Record<string, string> }
  return bootstrapJoinToken(data?.[CA_KEY] ?? '', token)
}

async function readToken(get: Get): Promise<JoinToken> {
  const path = `/api/v1/namespaces/${NAMESPACE}/secrets/tokensecret`
  const response = await get(path, "read KubeEdge's join token")
  const { data } = JSON.parse(response.body) as { data?: { tokendata?: string } }
  const token = parseJoinToken(Buffer.from(data?.tokendata ?? '', 'base64').toString('utf8'))
  if (token === undefined)
    throw new EdgeadmError('discovery', 'CloudCore has not made its join token yet', {
      fix: 'look at it on a master: kubectl -n kubeedge get pods',
    })
  if (token.expires < Date.now())
    throw new EdgeadmError(
      'discovery',
      `CloudCore's join token expired at ${new Date(token.expires).toISOString()}`,
      {
        fix: 'restart CloudCore on a master: kubectl -n kubeedge delete pod -l kubeedge=cloudcore',
      },
    )
  return token
}
