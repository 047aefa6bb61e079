/** The inventory: a file with `kind: Cluster`, read, checked and completed. Nothing is asked of a host here. */

import { dirname, isAbsolute, resolve } from 'node:path'
import type { Taint } from '../config/edge-configuration.ts'
import { CLUSTER_KIND } from '../config/edge-configuration.ts'
import { type ConfigDocument, type ConfigFile, readConfigFile } from '../config/file.ts'
import { Problems } from '../config/problems.ts'
import type { PlainDocument } from '../config/types.ts'
import { EdgeadmError } from '../output/errors.ts'
import { checkInventory } from './check-inventory.ts'
import type { ClusterDocument, HostRole, SshEntry } from './schema.ts'
import { schemaProblems } from './schema-problems.ts'
import { substitute } from './variables.ts'

export interface FleetHost {
  readonly name: string
  /** Where SSH reaches it. */
  readonly address: string
  readonly nodeAddress: string | undefined
  readonly role: HostRole
  readonly site: string | undefined
  /** Where it gets its files from: the site's other hosts, or this machine. */
  readonly distribution: 'relay' | 'push'
  readonly labels: Readonly<Record<string, string>>
  /** Undefined: edgeadm's for the role; then they are not looked after later. */
  readonly taints: readonly Taint[] | undefined
  readonly edgeConfiguration: Readonly<Record<string, unknown>>
  /** The host's own, then its site's, then spec.ssh. */
  readonly ssh: SshEntry
  readonly absent: boolean
  /** `cluster.yaml:12: spec.hosts[3]`, for messages. */
  readonly where: string
}

export interface Rollout {
  readonly parallel: number
  readonly uploads: number
  readonly maxUnavailable: number | string
  readonly maxFailures: number | string
  readonly requireAll: boolean
  /** As kubectl takes it. */
  readonly drainTimeout: string
}

export interface Inventory {
  readonly name: string
  /** How the file is called in messages. */
  readonly file: string
  readonly hosts: readonly FleetHost[]
  /** Names of all sites. */
  readonly sites: readonly string[]
  readonly rollout: Rollout
  /** Absolute path on this machine; undefined: none is named. */
  readonly package: string | undefined
  readonly executable: string | undefined
  /** kubeadm's documents and EdgeConfiguration, by kind. */
  readonly documents: ReadonlyMap<string, PlainDocument>
  readonly warnings: readonly string[]
}

/** @throws EdgeadmError class `usage` with every problem that the file has */
export async function readInventory(
  path: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Inventory> {
  return inventoryOf(await readConfigFile(path, '-f'), dirname(resolve(path)), environment)
}

/** @param directory against which relative paths in the file stand */
export function inventoryOf(
  file: ConfigFile,
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Inventory {
  const document = file.documents.get(CLUSTER_KIND)
  if (document === undefined)
    throw new EdgeadmError('usage', `${file.name} has no document with kind: ${CLUSTER_KIND}`, {
      fix: '`edgeadm apply --print-example` prints one',
    })
  const problems = new Problems()
  const value = substitute(document.value, environment, (path, text) =>
    problems.add(document.where(path), text),
  )
  problems.throwIfAny()
  for (const { path, text } of schemaProblems(value)) problems.add(document.where(path), text)
  problems.throwIfAny()
  const inventory = complete(value as ClusterDocument, file, document, directory)
  checkInventory(inventory, document, problems)
  problems.throwIfAny()
  return inventory
}

function complete(
  { metadata, spec }: ClusterDocument,
  file: ConfigFile,
  document: ConfigDocument,
  directory: string,
): Inventory {
  const sites = new Map((spec.sites ?? []).map((site) => [site.name, site]))
  const absolute = (path: string | undefined) =>
    path === undefined || isAbsolute(path) || /^https?:/.test(path) ? path : resolve(directory, path)
  const documents = new Map(
    [...file.documents].filter(([kind]) => kind !== CLUSTER_KIND).map(([kind, { value }]) => [kind, value]),
  )
  const inEdge = documents.get('EdgeConfiguration')?.package as { path?: unknown } | undefined
  return {
    name: metadata.name,
    file: file.name,
    hosts: spec.hosts.map((host, index) => ({
      name: host.name,
      address: host.address,
      nodeAddress: host.nodeAddress,
      role: host.role,
      site: host.site,
      distribution: sites.get(host.site ?? '')?.distribution ?? (host.site === undefined ? 'push' : 'relay'),
      labels: host.labels ?? {},
      taints: host.taints as readonly Taint[] | undefined,
      edgeConfiguration: host.edgeConfiguration ?? {},
      ssh: withAbsolutePaths(
        { ...spec.ssh, ...(host.site === undefined ? {} : sites.get(host.site)?.ssh), ...host.ssh },
        absolute,
      ),
      absent: host.state === 'absent',
      where: document.where(['spec', 'hosts', index]),
    })),
    sites: [...sites.keys()],
    rollout: {
      parallel: spec.rollout?.parallel ?? 30,
      uploads: spec.rollout?.uploads ?? 5,
      maxUnavailable: spec.rollout?.maxUnavailable ?? '10%',
      maxFailures: spec.rollout?.maxFailures ?? '10%',
      requireAll: spec.rollout?.requireAll ?? false,
      drainTimeout: spec.rollout?.drainTimeout ?? '5m',
    },
    package: absolute(spec.package ?? (typeof inEdge?.path === 'string' ? inEdge.path : undefined)),
    executable: absolute(spec.executable),
    documents,
    warnings: file.warnings,
  }
}

function withAbsolutePaths(
  ssh: SshEntry,
  absolute: (path: string | undefined) => string | undefined,
): SshEntry {
  const home = (path: string) => path.replace(/^~(?=\/)/, process.env.HOME ?? '~')
  const fix = (path: string | undefined) => (path === undefined ? undefined : absolute(home(path)))
  const secret = (source: SshEntry['password']) =>
    source?.file === undefined ? source : { ...source, file: fix(source.file) as string }
  return {
    ...ssh,
    identityFile: fix(ssh.identityFile),
    knownHosts: fix(ssh.knownHosts),
    password: secret(ssh.password),
    sudoPassword: secret(ssh.sudoPassword),
  }
}

/** A number or a percentage of `total`, at least 1. */
export function shareOf(share: number | string, total: number): number {
  const count = typeof share === 'number' ? share : Math.floor((total * Number.parseInt(share, 10)) / 100)
  return Math.max(1, count)
}
