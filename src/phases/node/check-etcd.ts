import type { PlainDocument } from '../../config/types.ts'
import type { Look } from '../../host/host.ts'
import { listeners } from '../../network/listeners.ts'
import type { NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'
import { taken } from './check-ports.ts'

const DATA_DIRECTORY = '/var/lib/etcd'
/** etcd's ports for clients and for its peers. */
const PORTS = [2379, 2380]

/**
 * What a master's own etcd needs. A cluster with an external etcd (`etcd.external`) needs nothing here.
 * @param cluster kubeadm's ClusterConfiguration, the user's or the running cluster's
 */
export async function etcdProblems(host: Look, cluster: PlainDocument | undefined): Promise<Problem[]> {
  const etcd = cluster?.etcd as
    | { readonly external?: unknown; readonly local?: { readonly dataDir?: unknown } | null }
    | null
    | undefined
  if (etcd?.external != null) return []
  const given = etcd?.local?.dataDir
  const directory = typeof given === 'string' && given !== '' ? given : DATA_DIRECTORY
  const inUse = await listeners(host)
  return [...PORTS.flatMap((port) => taken(port, inUse)), ...(await directoryProblems(host, directory))]
}

async function directoryProblems(host: Look, directory: string): Promise<Problem[]> {
  const names = await host.list(directory)
  if (names.length === 0) return []
  const text = names.every((name) => name === 'lost+found')
    ? `${directory} is a file system of its own, and kubeadm wants an empty folder: name one in it, etcd.local.dataDir: ${directory}/data in the ClusterConfiguration of --config`
    : `${directory} is not empty: it holds the data of another cluster`
  return [{ check: `DirAvailable-${directory.replaceAll('/', '-')}`, severity: 'error', text }]
}

/** On init; a further master learns what etcd the cluster has: `control-plane-check`. */
export async function checkEtcd({ host, settings }: NodeContext): Promise<Problem[]> {
  return settings.command === 'init' ? etcdProblems(host, settings.documents.ClusterConfiguration) : []
}
