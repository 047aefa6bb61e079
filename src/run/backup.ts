/** `edgeadm backup create|list|verify|prune`. */

import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { LocalMachine } from '../host/local.ts'
import { lockMachine } from '../host/lock.ts'
import { unrecordedHost } from '../host/unrecorded.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { table } from '../output/table.ts'
import { bytes } from '../output/text.ts'
import { checkRecipients, readIndex } from '../phases/backup/archive.ts'
import { createBackup } from '../phases/backup/create.ts'
import { BACKUPS, type BackupIndex, parseBackupName, SNAPSHOT } from '../phases/backup/format.ts'
import { snapshotStatus, stateOfRestored } from '../phases/etcd/snapshot.ts'
import { ETCD_MANIFEST, imageIn, withEtcdTools } from '../phases/etcd/tools.ts'
import { withBackup } from './open-backup.ts'
import { requireLinuxRoot } from './prerequisites.ts'

export interface CreateFlags {
  readonly directory?: string | undefined
  readonly 'age-recipient'?: readonly string[] | undefined
  readonly keep?: number | undefined
}

export async function create(flags: CreateFlags, reporting: Reporting): Promise<void> {
  requireLinuxRoot('backup create', false)
  const directory = flags.directory ?? BACKUPS
  const recipients = flags['age-recipient'] ?? []
  await checkRecipients(recipients)
  const unlock = await lockMachine('backup create')
  try {
    const { path, size, index } = await createBackup(
      unrecordedHost(new LocalMachine(reporting.signal), 'backup create', reporting.emit),
      { directory, recipients },
      reporting,
    )
    const { revision, keys } = index.etcd.state
    const removed = flags.keep === undefined ? [] : await removeOld(directory, flags.keep)
    const secret =
      recipients.length === 0 ? ' It holds the keys of the cluster: whoever has it, has the cluster.' : ''
    reporting.emit({
      type: 'result',
      text: `${path}: ${bytes(size)}, etcd's revision ${revision}, ${keys} keys.${secret}`,
      data: { path, size, cluster: index.cluster, time: index.time, etcd: index.etcd.state, removed },
    })
  } finally {
    await unlock()
  }
}

export interface BackupEntry {
  readonly path: string
  readonly time: string
  /** Bytes. */
  readonly size: number
  /** The first digits of the cluster's identity. */
  readonly cluster: string
  readonly encrypted: boolean
  /** Undefined: it is encrypted, or damaged. */
  readonly index: BackupIndex | undefined
  readonly problem: string | undefined
}

/** The newest, by its name: what is in it is not looked at. */
export async function newestBackup(directory: string): Promise<{ path: string; time: string } | undefined> {
  const named = (await namesIn(directory)).flatMap((name) => {
    const parsed = parseBackupName(name)
    return parsed === undefined ? [] : [{ path: join(directory, name), time: parsed.time }]
  })
  return named.sort((a, b) => b.time.localeCompare(a.time))[0]
}

async function namesIn(directory: string): Promise<string[]> {
  return fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

/** Newest first. */
export async function findBackups(directory: string): Promise<BackupEntry[]> {
  const found: BackupEntry[] = []
  for (const name of await namesIn(directory)) {
    const parsed = parseBackupName(name)
    if (parsed === undefined) continue
    const path = join(directory, name)
    const { size } = await fs.stat(path)
    let index: BackupIndex | undefined
    let problem: string | undefined
    try {
      index = await readIndex(path)
    } catch (error) {
      if (!(error instanceof EdgeadmError)) throw error
      problem = error.message
    }
    found.push({ path, size, ...parsed, index, problem })
  }
  return found.sort((a, b) => b.time.localeCompare(a.time))
}

export async function listBackups(directory: string, { emit }: Reporting): Promise<void> {
  requireLinuxRoot('backup list', false)
  const found = await findBackups(directory)
  const rows = found.map(({ path, time, size, encrypted, index, problem, cluster }) => [
    time,
    bytes(size),
    cluster,
    index?.node ?? '',
    index?.kubernetesVersion ?? '',
    problem !== undefined ? 'DAMAGED' : encrypted ? 'encrypted' : `${index?.etcd.state.keys} keys`,
    path,
  ])
  emit({
    type: 'result',
    text:
      rows.length === 0
        ? `There is no backup in ${directory}.`
        : table([['TIME', 'SIZE', 'CLUSTER', 'NODE', 'VERSION', 'STATE', 'FILE'], ...rows]).join('\n'),
    data: {
      backups: found.map(({ index, ...entry }) => ({
        ...entry,
        node: index?.node,
        version: index?.kubernetesVersion,
      })),
    },
  })
}

export async function pruneBackups(directory: string, keep: number, { emit }: Reporting): Promise<void> {
  requireLinuxRoot('backup prune', false)
  const removed = await removeOld(directory, keep)
  emit({
    type: 'result',
    text: removed.length === 0 ? 'Nothing had to go.' : `Removed ${removed.join(', ')}.`,
    data: { removed },
  })
}

/** The newest of each cluster stay, by their names alone: other files are nobody's business here. */
async function removeOld(directory: string, keep: number): Promise<string[]> {
  if (!Number.isInteger(keep) || keep < 1)
    throw new EdgeadmError('usage', `--keep ${keep}: at least one backup has to stay`)
  const names = await namesIn(directory)
  const byCluster = new Map<string, { name: string; time: string }[]>()
  for (const name of names) {
    const parsed = parseBackupName(name)
    if (parsed === undefined) continue
    const list = byCluster.get(parsed.cluster) ?? []
    list.push({ name, time: parsed.time })
    byCluster.set(parsed.cluster, list)
  }
  const removed: string[] = []
  for (const list of byCluster.values())
    for (const { name } of list.sort((a, b) => b.time.localeCompare(a.time)).slice(keep)) {
      await fs.rm(join(directory, name))
      removed.push(join(directory, name))
    }
  return removed
}

export interface VerifyFlags {
  readonly 'age-identity'?: string | undefined
}

/** @throws EdgeadmError class `preflight`: it is damaged, or what was restored from it is not what was saved */
export async function verifyBackup(file: string, flags: VerifyFlags, reporting: Reporting): Promise<void> {
  requireLinuxRoot('backup verify', false)
  const { emit, signal } = reporting
  const host = unrecordedHost(new LocalMachine(signal), 'backup verify', emit)
  const unlock = await lockMachine('backup verify')
  try {
    await withBackup(file, flags['age-identity'], emit, async ({ index, directory }) => {
      emit({ type: 'output', text: `[verify] All ${index.files.length} files have their SHA-256` })
      // Not the one that the backup names: what is in it runs as root here.
      const image = imageIn(await host.readFile(ETCD_MANIFEST))
      if (image === undefined)
        throw new EdgeadmError('preflight', `there is no ${ETCD_MANIFEST} on this machine`, {
          fix: 'run it on a master: the programs come out of its image of etcd',
        })
      const restored = await withEtcdTools(host, image, async (tools) => {
        const snapshot = join(directory, SNAPSHOT)
        await snapshotStatus(host, tools, snapshot)
        emit({ type: 'output', text: '[verify] Restoring into an etcd that only this command sees' })
        return stateOfRestored(host, tools, snapshot, directory, signal)
      })
      const saved = index.etcd.state
      // A compaction right behind the snapshot makes hashes of other ranges of revisions.
      const comparable = restored.compactRevision === saved.compactRevision
      const differences = (['revision', 'keys', ...(comparable ? (['hash'] as const) : [])] as const).filter(
        (name) => restored[name] !== saved[name],
      )
      if (differences.length > 0)
        throw new EdgeadmError('preflight', `${file}: what was restored is not what was saved`, {
          details: differences.map((name) => `${name}: ${restored[name]} restored, ${saved[name]} saved`),
          fix: 'take another backup: `edgeadm backup create`',
        })
      if (!comparable)
        emit({
          type: 'warning',
          text: 'etcd compacted its history right after the snapshot: hashes could not be compared',
        })
      emit({
        type: 'result',
        text: `${file} can be restored: revision ${restored.revision}, ${restored.keys} keys${comparable ? `, hash ${restored.hash}` : ''}, as saved at ${index.time}.`,
        data: { verified: true, restored, saved },
      })
    })
  } finally {
    await unlock()
  }
}
