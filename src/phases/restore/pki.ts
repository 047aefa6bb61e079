import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from '../../host/host.ts'
import type { Phase } from '../workflow.ts'
import type { OpenBackup, RestoreContext } from './context.ts'

/** What makes a cluster this cluster: kubeadm makes all else from them. */
export const ROOTS = [
  'ca.crt',
  'ca.key',
  'sa.key',
  'sa.pub',
  'front-proxy-ca.crt',
  'front-proxy-ca.key',
  'etcd/ca.crt',
  'etcd/ca.key',
] as const

/** The directory of certificates in a backup. */
export function pkiIn({ index }: OpenBackup): string {
  const file = index.files.find(({ path }) => path.endsWith('/sa.pub'))
  return file === undefined ? 'files/etc/kubernetes/pki' : file.path.slice(0, -'/sa.pub'.length)
}

/** Puts keys and certificates of the backup below `pki` where there are none. @returns how many */
export async function putBackPki(
  host: Host,
  backup: OpenBackup,
  pki: string,
  names: readonly string[],
): Promise<number> {
  let count = 0
  for (const name of names) {
    const saved = backup.index.files.find(({ path }) => path === `${pkiIn(backup)}/${name}`)
    const target = join(pki, name)
    if (saved === undefined || (await host.readFile(target)) !== undefined) continue
    const content = await fs.readFile(join(backup.directory, saved.path))
    // kubeadm's modes, whatever the backup says.
    await host.writeFile(target, content, { mode: name.endsWith('.key') ? 0o600 : 0o644, secret: true })
    count += 1
  }
  return count
}

/** On a master that lost files; what is there is newer than the backup, perhaps, and stays. */
export const restorePki: Phase<RestoreContext> = {
  name: 'restore/pki',
  title: 'Put back keys and certificates that are missing',
  run: async ({ host, backup, facts, emit }) => {
    const prefix = `${pkiIn(backup)}/`
    const names = backup.index.files.flatMap(({ path }) =>
      path.startsWith(prefix) ? [path.slice(prefix.length)] : [],
    )
    const count = await putBackPki(host, backup, facts.pki, names)
    emit({ type: 'output', text: count === 0 ? 'None is missing' : `${count} were missing` })
  },
}
