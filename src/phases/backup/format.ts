/** A backup: one tar file, gzip, whose first entry says what is in it; encrypted as a whole with age, if wanted. */

import type { StoreState } from '../etcd/snapshot.ts'

export const BACKUP_SCHEMA = 'edgeadm.io/backup/v1alpha1'
/** The first entry. */
export const INDEX = 'backup.json'
export const SNAPSHOT = 'etcd.db'
/** Where backups go, and stay after `edgeadm reset`. */
export const BACKUPS = '/var/backups/edgeadm'

export interface BackupFile {
  /** Path in the archive: `files/etc/kubernetes/pki/ca.key`. */
  readonly path: string
  readonly mode: number
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

export interface BackupIndex {
  readonly schema: typeof BACKUP_SCHEMA
  /** RFC 3339, UTC. */
  readonly time: string
  readonly edgeadmVersion: string
  /** The master that made it. */
  readonly node: string
  readonly address: string
  /** SHA-256 of the cluster's CA certificate (DER): what makes it this cluster. */
  readonly cluster: string
  readonly kubernetesVersion: string
  readonly package: { readonly edgeVersion: string; readonly sha256: string } | undefined
  readonly etcd: {
    readonly image: string
    /** Of the member that gave the snapshot, at the snapshot's revision. */
    readonly state: StoreState
    readonly members: readonly string[]
  }
  /** Flags of `edgeadm init` that kubeadm's documents have no field for. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[]>>
  readonly files: readonly BackupFile[]
}

const NAME = /^edgeadm-([0-9a-f]{8})-(\d{8}T\d{6}Z)\.tar\.gz(\.age)?$/

/** @param time milliseconds since the epoch */
export function backupName(cluster: string, time: number, encrypted: boolean): string {
  const stamp = new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `edgeadm-${cluster.slice(0, 8)}-${stamp}.tar.gz${encrypted ? '.age' : ''}`
}

/** Undefined: no backup, by its name. Only such files are ever removed. */
export function parseBackupName(
  name: string,
): { readonly cluster: string; readonly time: string; readonly encrypted: boolean } | undefined {
  const [, cluster, stamp, age] = NAME.exec(name) ?? []
  if (cluster === undefined || stamp === undefined) return undefined
  const time = stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5')
  return { cluster, time, encrypted: age !== undefined }
}
