/** Snapshots of etcd: taken from a member that runs, looked at, and run from scratch to compare what is in them. */

import type { Host, Look, Output } from '../../host/host.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import type { EtcdTools } from './tools.ts'

/** What says that two stores hold the same. */
export interface StoreState {
  readonly revision: number
  /** etcd's hash of all keys and values, up to the revision, from the last compaction on. */
  readonly hash: number
  readonly compactRevision: number
  /** Keys that are there at the revision. */
  readonly keys: number
}

export interface Endpoint {
  readonly url: string
  /** Files; none for a server without TLS. */
  readonly credentials?: { readonly ca: string; readonly cert: string; readonly key: string }
}

function client({ url, credentials }: Endpoint): string[] {
  const tls =
    credentials === undefined
      ? []
      : ['--cacert', credentials.ca, '--cert', credentials.cert, '--key', credentials.key]
  return ['--endpoints', url, ...tls]
}

const ENVIRONMENT = { ETCDCTL_API: '3' }

/** Milliseconds for a question that etcd answers from memory; the hash of a store of 8 GiB takes some seconds. */
const LIMIT = 60_000
/** etcdctl's own limit is five seconds, which a busy machine does not keep. */
const PATIENT = `--command-timeout=${LIMIT / 1000}s`

/** Milliseconds. It reads all its keys first. */
const START_LIMIT = 180_000

export async function takeSnapshot(
  host: Host,
  { etcdctl }: EtcdTools,
  endpoint: Endpoint,
  file: string,
): Promise<void> {
  await host.run(etcdctl, [...client(endpoint), 'snapshot', 'save', file], {
    title: 'take the snapshot of etcd',
    undo: null,
    env: ENVIRONMENT,
  })
}

export interface SnapshotStatus {
  readonly hash: number
  readonly revision: number
  readonly totalKey: number
  readonly totalSize: number
}

/** @throws EdgeadmError class `preflight` if it is none, or damaged */
export async function snapshotStatus(
  host: Look,
  { etcdutl }: EtcdTools,
  file: string,
): Promise<SnapshotStatus> {
  const { stdout } = await checked(
    host,
    etcdutl,
    ['snapshot', 'status', file, '--write-out', 'json'],
    'read the snapshot of etcd',
    {},
  )
  return JSON.parse(stdout) as SnapshotStatus
}

/** @param revision undefined: the newest */
export async function storeState(
  host: Look,
  { etcdctl }: EtcdTools,
  endpoint: Endpoint,
  revision: number | undefined,
): Promise<StoreState> {
  const ask = async <T>(...args: string[]): Promise<T> => {
    const { stdout } = await checked(
      host,
      etcdctl,
      [...client(endpoint), PATIENT, ...args, '--write-out', 'json'],
      'ask etcd for its state',
      { timeout: LIMIT },
    )
    return JSON.parse(stdout) as T
  }
  const at = revision === undefined ? [] : [`--rev=${revision}`]
  const [hash] = await ask<
    { HashKV: { header: { revision: number }; hash: number; compact_revision?: number } }[]
  >('endpoint', 'hashkv', ...at)
  if (hash === undefined) throw new EdgeadmError('phase', 'etcd does not tell its hash')
  const rev = revision ?? hash.HashKV.header.revision
  // The count alone is told in this format only.
  const list = ['get', '', '--from-key', '--count-only', `--rev=${rev}`, '--write-out', 'fields']
  const { stdout } = await checked(
    host,
    etcdctl,
    [...client(endpoint), PATIENT, ...list],
    'count the keys of etcd',
    {
      timeout: LIMIT,
    },
  )
  const count = Number(/^"Count" : (\d+)$/m.exec(stdout)?.[1] ?? Number.NaN)
  if (Number.isNaN(count)) throw new EdgeadmError('phase', 'etcd does not tell how many keys it has')
  return {
    revision: rev,
    hash: hash.HashKV.hash,
    compactRevision: hash.HashKV.compact_revision ?? 0,
    keys: count,
  }
}

export interface RestoreTarget {
  /** Must not be there yet; gets `member/`. */
  readonly directory: string
  readonly name: string
  readonly peerUrl: string
  /** By how much the revision rises, so that no client takes an older state for a newer one; 0 for one that only we look at. */
  readonly bump: number
}

export async function restoreSnapshot(
  host: Host,
  { etcdutl }: EtcdTools,
  file: string,
  { directory, name, peerUrl, bump }: RestoreTarget,
): Promise<void> {
  const args = [
    ...['snapshot', 'restore', file, '--data-dir', directory, '--name', name],
    ...['--initial-cluster', `${name}=${peerUrl}`, '--initial-advertise-peer-urls', peerUrl],
    ...(bump === 0 ? [] : ['--bump-revision', String(bump), '--mark-compacted']),
  ]
  await host.run(etcdutl, args, { title: 'restore the snapshot of etcd', undo: null, env: ENVIRONMENT })
}

/**
 * What a restored store says of itself: an etcd of its own, without a network. It listens on sockets in `directory`, which
 * only root may enter: all Secrets of the cluster are in it, and it asks nobody for credentials.
 */
export async function stateOfRestored(
  host: Host,
  tools: EtcdTools,
  file: string,
  directory: string,
  signal: AbortSignal,
): Promise<StoreState> {
  const data = `${directory}/scratch`
  await restoreSnapshot(host, tools, file, {
    directory: data,
    name: 'scratch',
    peerUrl: 'http://localhost:2380',
    bump: 0,
  })
  const ended = new AbortController()
  const stop = AbortSignal.any([signal, ended.signal])
  const args = [
    ...['--name', 'scratch', '--data-dir', data, '--log-level', 'error', '--unsafe-no-fsync'],
    ...['--listen-client-urls', 'unix://client:0', '--advertise-client-urls', 'http://localhost:2379'],
    ...['--listen-peer-urls', 'unix://peer:0', '--initial-advertise-peer-urls', 'http://localhost:2380'],
    ...['--initial-cluster', 'scratch=http://localhost:2380'],
  ]
  let said: Output | undefined
  const server = host.probe(tools.etcd, args, { cwd: directory, signal: stop }).then(
    (output) => {
      said = output
    },
    () => {},
  )
  try {
    const endpoint = { url: `unix://${directory}/client:0` }
    await awaitCondition('the restored etcd to answer', START_LIMIT, signal, async () => {
      if (said !== undefined)
        throw new EdgeadmError('phase', 'the restored etcd does not start', {
          details: said.stderr.split('\n').slice(-10),
        })
      const health = await host.probe(tools.etcdctl, [...client(endpoint), 'endpoint', 'health'], {
        timeout: 10_000,
      })
      return health.exitCode === 0 || health.stderr
    })
    return await storeState(host, tools, endpoint, undefined)
  } finally {
    ended.abort()
    await server
  }
}

async function checked(
  host: Look,
  file: string,
  args: readonly string[],
  what: string,
  options: { readonly timeout?: number },
): Promise<Output> {
  const output = await host.probe(file, args, { ...options, env: ENVIRONMENT })
  if (output.exitCode === 0) return output
  const lines = output.stderr.split('\n').filter((line) => line.trim() !== '')
  throw new EdgeadmError('phase', `could not ${what}`, { details: lines.slice(-5) })
}
