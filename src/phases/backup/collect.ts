/** What goes into a backup beside etcd's snapshot: what a new machine would need to be this master again. */

import { X509Certificate } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import type { Look } from '../../host/host.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../../kubeedge/cluster-facts.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'
import { pkiDirectory } from '../../kubernetes/node-certificates.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { INSTALLED_PACKAGE, KUBEADM_CONFIG } from '../context.ts'
import { cloudSecrets } from '../edge/certificates.ts'
import { Journal } from '../journal.ts'
import { DIRECTORY as LOAD_BALANCER, PODS } from '../load-balancer/files.ts'
import { sha256Of } from './archive.ts'
import type { BackupIndex } from './format.ts'

const KUBERNETES = '/etc/kubernetes'

/** Copies files below `directory`/files, each under its own path. @returns their paths in the archive */
export async function collectFiles(host: Look, directory: string): Promise<string[]> {
  const pki = await pkiDirectory(host)
  const paths = [
    ...(await filesBelow(host, pki)),
    ...(await directFiles(host, KUBERNETES)),
    ...(await directFiles(host, `${KUBERNETES}/manifests`)),
    ...(await directFiles(host, LOAD_BALANCER)),
    '/var/lib/kubelet/config.yaml',
    KUBEADM_CONFIG,
    INSTALLED_PACKAGE,
  ]
  const copied: string[] = []
  for (const path of new Set(paths)) {
    // A link counts as what it leads to: keys may lie elsewhere.
    const found = await fs.stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && !path.startsWith(pki)) return undefined
      throw error
    })
    if (found?.isFile() !== true) continue
    const target = join('files', path)
    await fs.mkdir(join(directory, dirname(target)), { recursive: true, mode: 0o700 })
    await fs.copyFile(path, join(directory, target))
    copied.push(target)
  }
  return copied
}

/** Objects that others may want without etcd: CloudCore's certificates, and how the cluster was made. */
export async function collectObjects(host: Look, directory: string): Promise<string[]> {
  await fs.mkdir(join(directory, 'objects'), { recursive: true, mode: 0o700 })
  const secrets = { apiVersion: 'v1', kind: 'List', items: await cloudSecrets(host) }
  const configuration = await kubectlGet(host, ['configmap', 'kubeadm-config', '-n', 'kube-system'])
  const objects = { 'cloudcore-secrets.json': secrets, 'kubeadm-config.json': configuration ?? {} }
  const made: string[] = []
  for (const [name, value] of Object.entries(objects)) {
    const path = join('objects', name)
    await fs.writeFile(join(directory, path), `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600 })
    made.push(path)
  }
  return made
}

/** Flags of init that neither kubeadm's documents nor the data hold. */
export async function initFlags(host: Look): Promise<BackupIndex['flags']> {
  const { earlier } = await Journal.open('init', { readOnly: true })
  const facts = await kubectlGet<{ data?: Record<string, string> }>(host, [
    ...['configmap', FACTS_CONFIG_MAP, '-n', NAMESPACE],
  ])
  const edge = parseClusterFacts(facts?.data?.[FACTS_KEY])
  return {
    ...(earlier?.settings['--cni'] === undefined ? {} : { cni: earlier.settings['--cni'] }),
    'enable-edge': edge !== undefined,
    ...(edge === undefined ? {} : { 'cloud-address': edge.cloudAddresses }),
    ...((await host.stat(PODS.keepalived)) === undefined ? {} : { ha: 'haproxy-keepalived' }),
  }
}

export async function clusterId(host: Look): Promise<string> {
  const path = `${await pkiDirectory(host)}/ca.crt`
  const pem = await host.readFile(path)
  if (pem === undefined)
    throw new EdgeadmError('preflight', `there is no ${path}: this machine is no master`, {
      fix: 'run it on a master',
    })
  return clusterIdOf(pem)
}

export const clusterIdOf = (caPem: string) =>
  new X509Certificate(caPem).fingerprint256.replaceAll(':', '').toLowerCase()

export async function packageOf(host: Look): Promise<BackupIndex['package']> {
  const text = await host.readFile(INSTALLED_PACKAGE)
  if (text === undefined) return undefined
  const { edgeVersion = '' } = JSON.parse(text) as { edgeVersion?: string }
  return { edgeVersion, sha256: await sha256Of(INSTALLED_PACKAGE) }
}

/** The image of the API server says it. */
export async function kubernetesVersionOf(host: Look): Promise<string> {
  const text = await host.readFile(`${KUBERNETES}/manifests/kube-apiserver.yaml`)
  const pod = parse(text ?? '') as { spec?: { containers?: { image?: string }[] } } | null
  const version = /:(v\d+\.\d+\.\d+[^@]*)/.exec(pod?.spec?.containers?.[0]?.image ?? '')?.[1]
  if (version !== undefined) return version
  throw new EdgeadmError('preflight', 'the manifest of the API server names no version', {
    fix: 'run it on a master',
  })
}

async function directFiles(host: Look, directory: string): Promise<string[]> {
  return (await host.list(directory)).map((name) => join(directory, name))
}

async function filesBelow(host: Look, directory: string): Promise<string[]> {
  const found: string[] = []
  for (const path of await directFiles(host, directory)) {
    if ((await host.stat(path))?.type === 'directory') found.push(...(await filesBelow(host, path)))
    else found.push(path)
  }
  return found
}
