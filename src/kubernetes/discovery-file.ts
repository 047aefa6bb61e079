import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { JoinDiscovery } from '../config/types.ts'
import { EdgeadmError } from '../output/errors.ts'
import { apiGet } from './api-request.ts'
import {
  CLUSTER_INFO_PATH,
  checkClock,
  type DiscoveredCluster,
  type DiscoveryOptions,
  discoverCluster,
} from './discovery.ts'
import { clusterOf } from './kubeconfig.ts'

/** Discovery of either kind, before anything is changed. Errors as of {@link discoverCluster}. */
export function discover(discovery: JoinDiscovery, options: DiscoveryOptions): Promise<DiscoveredCluster> {
  if (discovery.kind === 'ticket') throw new EdgeadmError('internal', 'an edge token leads to no API server')
  return discovery.kind === 'token'
    ? discoverCluster(discovery, options)
    : discoverFromFile(discovery.path, options)
}

/**
 * `--discovery-file`: the file is trusted as it is (from a URL: because of its https), and the master is asked with its CA.
 * Source of the procedure: cmd/kubeadm/app/discovery/{file,https}.
 */
async function discoverFromFile(path: string, options: DiscoveryOptions): Promise<DiscoveredCluster> {
  const request = { signal: options.signal, timeout: options.timeout ?? 10_000 }
  const kubeconfig = path.startsWith('https://') ? await download(path, request) : await read(path)
  const cluster = clusterOf(kubeconfig)
  if (!cluster)
    throw new EdgeadmError(
      'usage',
      `--discovery-file: ${path} is no kubeconfig with a cluster and its server`,
    )
  const caPem = cluster.caPem ?? (cluster.caFile && (await read(resolve(dirname(path), cluster.caFile))))
  if (!caPem) throw new EdgeadmError('usage', `--discovery-file: ${path} names no certificate authority`)
  const url = new URL(cluster.server)
  // Whether cluster-info may be read without credentials does not matter here: TLS was verified, and the time was told.
  checkClock(await apiGet({ ...request, url: new URL(CLUSTER_INFO_PATH, url).href, caPem }), url.host)
  return { caPem, server: cluster.server, kubeconfig }
}

async function download(url: string, request: { signal: AbortSignal; timeout: number }): Promise<string> {
  const { status, body } = await apiGet({ ...request, url, caPem: 'system' })
  if (status === 200) return body
  throw new EdgeadmError('discovery', `--discovery-file: ${url} answered HTTP ${status}`)
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(cause)
    throw new EdgeadmError('usage', `--discovery-file: cannot read ${path}: ${why}`, { cause })
  }
}
