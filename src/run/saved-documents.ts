/** kubeadm's documents in a backup: how the cluster was made. */

import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { type ConfigFile, parseConfigFile } from '../config/file.ts'
import { readConfigFile } from '../config/load.ts'
import type { HostFacts } from '../config/types.ts'
import type { OpenBackup } from '../phases/restore/context.ts'

/** What the master that made the backup was made with; documents of the user's own file come in their place. */
export async function savedDocuments(
  backup: OpenBackup,
  facts: HostFacts,
  config: string | undefined,
): Promise<ConfigFile | undefined> {
  const saved = await savedText(backup, facts)
  if (config === undefined) return saved === undefined ? undefined : parseConfigFile(saved, 'the backup')
  const own = await readConfigFile(config)
  if (saved === undefined) return own
  const kinds = new Set<string>([...own.documents.keys()])
  const rest = parseAllDocuments(saved).filter((document) => !kinds.has(String(document.get('kind'))))
  const all = [await fs.readFile(config, 'utf8'), ...rest.map((document) => document.toString())]
  return parseConfigFile(all.join('\n---\n'), `${config} and the backup`)
}

async function savedText(backup: OpenBackup, facts: HostFacts): Promise<string | undefined> {
  const cluster = await clusterText(backup)
  if (cluster === undefined) return undefined
  const isSameMachine = facts.interfaces.some(({ addresses }) =>
    addresses.some(({ address }) => address === backup.index.address),
  )
  const own = await fs
    .readFile(join(backup.directory, 'files/var/lib/edgeadm/kubeadm.yaml'), 'utf8')
    .catch(() => undefined)
  // The first master's own file has the cluster's and the kubelet's documents; elsewhere the cluster's alone are known.
  if (isSameMachine && own?.includes('kind: ClusterConfiguration')) return own
  return cluster
}

/** The ClusterConfiguration, as kubeadm keeps it in the cluster. */
async function clusterText({ directory }: OpenBackup): Promise<string | undefined> {
  const text = await fs.readFile(join(directory, 'objects/kubeadm-config.json'), 'utf8')
  return (JSON.parse(text) as { data?: { ClusterConfiguration?: string } }).data?.ClusterConfiguration
}

export async function savedCluster(backup: OpenBackup): Promise<{ readonly controlPlaneEndpoint?: string }> {
  return (parse((await clusterText(backup)) ?? '{}') ?? {}) as { controlPlaneEndpoint?: string }
}
