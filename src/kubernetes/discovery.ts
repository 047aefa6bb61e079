/**
 * kubeadm's discovery as a check before `join` changes anything: is the master there, is it the right one, is the token good,
 * do the clocks agree. Source of the procedure: cmd/kubeadm/app/discovery/token/token.go.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type BootstrapToken, parseToken, tokenProblem } from '../config/tokens.ts'
import type { JoinDiscovery } from '../config/types.ts'
import { EdgeadmError } from '../output/errors.ts'
import { type ApiResponse, apiGet } from './api-request.ts'
import { parseCertificates, publicKeyPin } from './ca-pins.ts'
import { verifyDetached } from './jws.ts'
import { clusterOf } from './kubeconfig.ts'

export interface DiscoveredCluster {
  /** PEM bundle of the cluster's CA. */
  readonly caPem: string
  /** `https://host:port` as the cluster itself says it: the control plane endpoint. */
  readonly server: string
  /** The kubeconfig from cluster-info, without credentials. */
  readonly kubeconfig: string
}

export interface DiscoveryOptions {
  readonly signal: AbortSignal
  /** Milliseconds for each request. Default 10 s. */
  readonly timeout?: number
  /** Milliseconds to wait for the signature of a token that was made a moment ago. Default 5 s. */
  readonly tokenWait?: number
  /** The same in a cluster that was made a moment ago and has signed none yet. Default 30 s. */
  readonly firstTokenWait?: number
}

export const CLUSTER_INFO_PATH = '/api/v1/namespaces/kube-public/configmaps/cluster-info'
/** Farther apart than this, certificates and tokens made on one side may not be valid on the other. */
export const MAXIMUM_CLOCK_SKEW = 30_000
/** Milliseconds. A controller manager that runs signs a token within 0.1 s; the rest is for one that is busy. */
const TOKEN_WAIT = 5000
/** Milliseconds. One that has just started signs only after some seconds. */
const FIRST_TOKEN_WAIT = 30_000
/** Milliseconds. In a cluster older than this the controller manager has had its start. */
const YOUNG = 120_000
const NEW_TOKEN = 'On a master, edgeadm token create --print-join-command prints a new join line.'

type TokenDiscovery = Extract<JoinDiscovery, { kind: 'token' }>

/**
 * @throws EdgeadmError class `discovery` (unreachable, untrusted, token unknown, clock) or `usage` (malformed token)
 */
export async function discoverCluster(
  discovery: TokenDiscovery,
  options: DiscoveryOptions,
): Promise<DiscoveredCluster> {
  const token = parseToken(discovery.token)
  if (!token) throw new EdgeadmError('usage', `--token: ${tokenProblem(discovery.token)}`, { fix: NEW_TOKEN })
  const request = { signal: options.signal, timeout: options.timeout ?? 10_000 }
  const url = `https://${discovery.endpoint}${CLUSTER_INFO_PATH}`

  const info = await awaitSignature(url, discovery.endpoint, token, options)
  if (!verifyDetached(info.signature, info.kubeconfig, token))
    throw new EdgeadmError(
      'discovery',
      `The token's secret does not fit the one that the master ${discovery.endpoint} knows for token id ${token.id}`,
      { fix: NEW_TOKEN },
    )
  const cluster = clusterOf(info.kubeconfig)
  if (!cluster?.caPem)
    throw new EdgeadmError(
      'discovery',
      `The cluster-info of ${discovery.endpoint} has no kubeconfig with a server and a CA`,
    )
  const found = { caPem: cluster.caPem, server: cluster.server, kubeconfig: info.kubeconfig }
  if (discovery.caCertHashes.length === 0) return found

  checkPins(found.caPem, discovery)
  // Now that the CA is known to be the right one, the same again with TLS verified.
  const again = clusterInfo(await apiGet({ ...request, url, caPem: found.caPem }), discovery.endpoint)
  if (again.kubeconfig !== found.kubeconfig)
    throw new EdgeadmError(
      'discovery',
      `The cluster-info of ${discovery.endpoint} was another one over verified TLS: something stands between`,
    )
  return found
}

interface ClusterInfo {
  readonly kubeconfig: string
  /** RFC 3339. */
  readonly created: string | undefined
  readonly data: Readonly<Record<string, string>>
}

/** A token's signature follows the token after a moment; a token that has expired has none. */
async function awaitSignature(
  url: string,
  endpoint: string,
  token: BootstrapToken,
  options: DiscoveryOptions,
): Promise<ClusterInfo & { readonly signature: string }> {
  const begun = Date.now()
  for (;;) {
    const response = await apiGet({
      url,
      caPem: undefined,
      signal: options.signal,
      timeout: options.timeout ?? 10_000,
    })
    checkClock(response, endpoint)
    const info = clusterInfo(response, endpoint)
    const signature = info.data[`jws-kubeconfig-${token.id}`]
    if (signature) return { ...info, signature }
    const wait = signerRuns(info)
      ? (options.tokenWait ?? TOKEN_WAIT)
      : (options.firstTokenWait ?? FIRST_TOKEN_WAIT)
    if (Date.now() - begun >= wait)
      throw new EdgeadmError(
        'discovery',
        `The token with id ${token.id} has expired or is unknown to the master ${endpoint}, which did not vouch for it within ${wait / 1000} s`,
        {
          fix: `On a master, edgeadm token list shows the valid tokens, and edgeadm token create --print-join-command prints a new join line; if the list has this one, the kube-controller-manager does not run.`,
        },
      )
    await sleep(500, undefined, { signal: options.signal })
  }
}

/** Whether a valid token would have its signature by now: others have theirs, or the cluster is no new one. */
function signerRuns({ data, created }: ClusterInfo): boolean {
  return (
    Object.keys(data).some((key) => key.startsWith('jws-kubeconfig-')) ||
    Date.now() - Date.parse(created ?? '') > YOUNG
  )
}

function clusterInfo(response: ApiResponse, endpoint: string): ClusterInfo {
  if (response.status === 401 || response.status === 403)
    throw new EdgeadmError(
      'discovery',
      `The master ${endpoint} lets nobody read its cluster-info without credentials (HTTP ${response.status})`,
      { fix: 'Join with --discovery-file, or run edgeadm init phase bootstrap-token on the master.' },
    )
  if (response.status !== 200)
    throw new EdgeadmError(
      'discovery',
      `What answers at ${endpoint} is not the API server of a cluster that kubeadm made: no cluster-info (HTTP ${response.status})`,
      { fix: 'Check host and port.' },
    )
  let map: { data?: Record<string, string>; metadata?: { creationTimestamp?: string } }
  try {
    map = JSON.parse(response.body) as typeof map
  } catch (cause) {
    throw new EdgeadmError('discovery', `The cluster-info of ${endpoint} is not JSON`, { cause })
  }
  const { data } = map
  const kubeconfig = data?.kubeconfig
  if (!data || !kubeconfig)
    throw new EdgeadmError(
      'discovery',
      `The cluster-info of ${endpoint} has no kubeconfig: this API server is not set up for bootstrap tokens`,
      { fix: 'Run edgeadm init phase bootstrap-token on the master.' },
    )
  return { kubeconfig, data, created: map.metadata?.creationTimestamp }
}

/**
 * A server says its time in the Date header, to the second.
 * @throws EdgeadmError class `discovery`
 */
export function checkClock(response: Pick<ApiResponse, 'headers'>, endpoint: string): void {
  const theirs = Date.parse(response.headers.date ?? '')
  const ours = Date.now()
  if (Number.isNaN(theirs) || Math.abs(ours - theirs) <= MAXIMUM_CLOCK_SKEW + 1000) return
  const seconds = Math.round(Math.abs(ours - theirs) / 1000)
  const direction = ours > theirs ? 'ahead of' : 'behind'
  throw new EdgeadmError(
    'discovery',
    `This machine's clock is ${seconds} s ${direction} that of the master ${endpoint}: ${new Date(ours).toISOString()} here, ${new Date(theirs).toISOString()} there`,
    { fix: 'Set the clock here or there, e.g. with chrony or timedatectl set-ntp true.' },
  )
}

function checkPins(caPem: string, { caCertHashes, endpoint }: TokenDiscovery): void {
  let pins: string[]
  try {
    pins = parseCertificates(caPem).map(publicKeyPin)
  } catch (cause) {
    throw new EdgeadmError('discovery', `The cluster-info of ${endpoint} has a malformed CA certificate`, {
      cause,
    })
  }
  if (pins.some((pin) => caCertHashes.includes(pin))) return
  throw new EdgeadmError(
    'discovery',
    `The CA of the cluster at ${endpoint} is not the one that --discovery-token-ca-cert-hash names: its hash is ${pins.join(', ')}`,
    { fix: `Check the address and the join line. ${NEW_TOKEN}` },
  )
}
