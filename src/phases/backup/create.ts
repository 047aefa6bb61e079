import * as fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Host, Look } from '../../host/host.ts'
import { describeHealth, type EtcdMember, healthOf, nameOf } from '../../kubernetes/etcd.ts'
import { ownMember, stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { kubeletNodeName } from '../../kubernetes/node-certificates.ts'
import { staticPodFlags } from '../../kubernetes/static-pod.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { VERSION } from '../../version.ts'
import { type Endpoint, snapshotStatus, storeState, takeSnapshot } from '../etcd/snapshot.ts'
import { ETCD_MANIFEST, imageIn, withEtcdTools } from '../etcd/tools.ts'
import { describe, writeArchive } from './archive.ts'
import {
  clusterId,
  collectFiles,
  collectObjects,
  initFlags,
  kubernetesVersionOf,
  packageOf,
} from './collect.ts'
import { BACKUP_SCHEMA, type BackupIndex, backupName, SNAPSHOT } from './format.ts'
import { warnIfOthersWrite } from './trust.ts'

export interface CreateOptions {
  /** Made if it is not there; mode 0700. */
  readonly directory: string
  readonly recipients: readonly string[]
}

export interface Created {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly index: BackupIndex
}

/** How much of the disk a backup may take at most: the snapshot, its copy in the archive, and the rest. */
const COPIES = 2
const REST = 32 * 1024 * 1024

/** @throws EdgeadmError class `preflight`: no master, no healthy member, no space; `phase`: the snapshot failed */
export async function createBackup(
  host: Host,
  { directory, recipients }: CreateOptions,
  { emit, signal }: Reporting,
): Promise<Created> {
  const cluster = await clusterId(host)
  const image = imageIn(await host.readFile(ETCD_MANIFEST))
  const { endpoint, members } = await healthyEndpoint(host, emit)
  if (image === undefined)
    throw new EdgeadmError('preflight', `there is no ${ETCD_MANIFEST} on this machine`, {
      fix: 'run it on a master',
    })
  await fs.mkdir(directory, { recursive: true, mode: 0o700 })
  await warnIfOthersWrite(directory, emit)
  await removeLeftovers(directory)
  const work = await fs.mkdtemp(join(directory, makingPrefix()))
  try {
    return await withEtcdTools(host, image, async (tools) => {
      await requireSpace(directory, await databaseSize(host, tools.etcdctl, endpoint))
      emit({ type: 'output', text: `[backup] Taking a snapshot of etcd from ${endpoint.url}` })
      const snapshot = join(work, SNAPSHOT)
      await takeSnapshot(host, tools, endpoint, snapshot)
      const { revision } = await snapshotStatus(host, tools, snapshot)
      // Of the member itself, at the same revision: `backup verify` compares a restored store with it.
      const state = await storeState(host, tools, endpoint, revision)
      signal.throwIfAborted()
      const paths = [SNAPSHOT, ...(await collectFiles(host, work)), ...(await collectObjects(host, work))]
      const files = []
      for (const path of paths) files.push(await describe(work, path))
      const time = Date.now()
      const index: BackupIndex = {
        schema: BACKUP_SCHEMA,
        time: new Date(time).toISOString(),
        edgeadmVersion: VERSION,
        node: (await kubeletNodeName(host)) ?? hostname().toLowerCase(),
        address: await advertiseAddress(host),
        cluster,
        kubernetesVersion: await kubernetesVersionOf(host),
        package: await packageOf(host),
        etcd: { image, state, members: members.map(nameOf) },
        flags: await initFlags(host),
        files,
      }
      const path = join(directory, backupName(cluster, time, recipients.length > 0))
      emit({ type: 'output', text: `[backup] Writing ${files.length} files to ${path}` })
      await writeArchive(work, index, path, recipients)
      return { path, size: (await fs.stat(path)).size, index }
    })
  } finally {
    await fs.rm(work, { recursive: true, force: true })
  }
}

/** By machine: several masters may keep their backups in one directory. */
const makingPrefix = () => `.making-${hostname()}-`

/** What a run left that was killed: keys of the cluster. The machine's lock is held, so none of them is at work. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await fs.readdir(directory))
    if (name.startsWith(makingPrefix())) await fs.rm(join(directory, name), { recursive: true, force: true })
}

/** The member of this master if it is healthy, else another one. */
async function healthyEndpoint(
  host: Look,
  emit: Reporting['emit'],
): Promise<{ endpoint: Endpoint; members: readonly EtcdMember[] }> {
  const etcd = await stackedEtcd(host)
  const flags = await staticPodFlags(host, 'kube-apiserver')
  if (etcd === undefined || flags === undefined)
    throw new EdgeadmError('preflight', 'this machine runs no etcd of a cluster', {
      fix: 'run it on a master; an external etcd has a backup of its own',
    })
  const voters = etcd.members.filter(({ isLearner }) => !isLearner)
  const { healthy, unhealthy } = await healthOf(voters, etcd.credentials)
  const own = await ownMember(host, healthy)
  const chosen = own ?? healthy[0]
  if (chosen?.clientUrl === undefined)
    throw new EdgeadmError(
      'preflight',
      'no member of etcd is healthy, so there is nothing to take a snapshot of',
      {
        details: unhealthy.map(describeHealth),
        fix: '`edgeadm restore FILE` goes back to the last backup; `edgeadm backup list` shows them',
      },
    )
  for (const one of unhealthy) emit({ type: 'warning', text: `etcd's member ${describeHealth(one)}` })
  const file = (name: string) => flags.get(name) ?? ''
  return {
    members: etcd.members,
    endpoint: {
      url: chosen.clientUrl,
      credentials: { ca: file('etcd-cafile'), cert: file('etcd-certfile'), key: file('etcd-keyfile') },
    },
  }
}

async function databaseSize(host: Look, etcdctl: string, { url, credentials }: Endpoint): Promise<number> {
  const tls = credentials && [
    '--cacert',
    credentials.ca,
    '--cert',
    credentials.cert,
    '--key',
    credentials.key,
  ]
  const args = ['--endpoints', url, ...(tls ?? []), 'endpoint', 'status', '--write-out', 'json']
  const { stdout } = await host.probe(etcdctl, args)
  const [first] = JSON.parse(stdout || '[]') as { Status?: { dbSize?: number } }[]
  return first?.Status?.dbSize ?? 0
}

async function requireSpace(directory: string, database: number): Promise<void> {
  const { bavail, bsize } = await fs.statfs(directory)
  const free = bavail * bsize
  const needed = COPIES * database + REST
  if (free >= needed) return
  const mib = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`
  throw new EdgeadmError(
    'preflight',
    `${directory} has ${mib(free)} left, and a backup needs ${mib(needed)} meanwhile`,
    {
      fix: '`edgeadm backup prune --keep N` removes old ones; --directory takes another place',
    },
  )
}

async function advertiseAddress(host: Look): Promise<string> {
  return (await staticPodFlags(host, 'kube-apiserver'))?.get('advertise-address') ?? ''
}
