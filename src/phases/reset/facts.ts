/** What reset finds on a machine before it changes anything. Only looks, and needs no API server. */

import { X509Certificate } from 'node:crypto'
import { parseAllDocuments } from 'yaml'
import { DEFAULT_CERT_DIR } from '../../config/resolve-common.ts'
import type { Host } from '../../host/host.ts'
import type { Ledger } from '../../host/ledger.ts'
import { EDGE_CERTIFICATE, EDGECORE_CONFIG, EDGECORE_UNIT_FILE } from '../../kubeedge/paths.ts'
import { etcdMembers } from '../../kubernetes/etcd-members.ts'
import { readBaseline } from '../../network/baseline.ts'
import { LITE } from '../../superedge/paths.ts'
import { BIN, KUBEADM_CONFIG, KUBEADM_ENV } from '../context.ts'
import { CONTAINERD_UNIT } from '../runtime/containerd.ts'

export interface ResetFacts {
  /** Whether edgeadm's state directory holds anything at all. */
  readonly isTouched: boolean
  /** Undefined: no node, or not yet. */
  readonly role: 'master' | 'worker' | 'edge node' | undefined
  readonly nodeName: string
  /** On a master: the other members of etcd, by name, if it could be asked. */
  readonly otherMasters: readonly string[]
  /** Where the kubelet, edgecore or lite-apiserver finds the cluster. */
  readonly server: string | undefined
  /** `namespace/name`, of those whose directories the kubelet keeps. */
  readonly pods: readonly string[]
  /** The kubeadm of this machine that works, with the `v` of its version. */
  readonly kubeadm: { readonly path: string; readonly version: string } | undefined
  /** From the configuration that edgeadm wrote for kubeadm. */
  readonly criSocket: string | undefined
  /** Whether edgeadm installed the containerd that runs here. */
  readonly ownsContainerd: boolean
  /** Whether a kubelet or edgecore was installed by edgeadm, so that Pods may have run here. */
  readonly mayHaveRunPods: boolean
}

const KUBELET_CONF = '/etc/kubernetes/kubelet.conf'
const CLIENT_CERTIFICATE = '/var/lib/kubelet/pki/kubelet-client-current.pem'
const API_SERVER = '/etc/kubernetes/manifests/kube-apiserver.yaml'
/** Any of them makes a machine a node, or one that was about to become one. */
const EVIDENCE = [
  KUBELET_CONF,
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/admin.conf',
  '/var/lib/kubelet/config.yaml',
  API_SERVER,
]

export async function gatherResetFacts(host: Host, ledger: Ledger, hostname: string): Promise<ResetFacts> {
  const history = await ledger.history()
  const recorded = new Set(history.map((entry) => ('path' in entry ? entry.path : '')))
  const configuration = registrationOf((await host.readFile(KUBEADM_CONFIG)) ?? '')
  const server =
    /--kube-apiserver-url=(\S+)/.exec((await host.readFile(LITE.unitFile)) ?? '')?.[1] ??
    /server: (\S+)/.exec((await host.readFile(KUBELET_CONF)) ?? '')?.[1] ??
    /httpServer: (\S+)/.exec((await host.readFile(EDGECORE_CONFIG)) ?? '')?.[1]
  const certificate = await host.readFile(CLIENT_CERTIFICATE)
  const role = await roleOf(host)
  const nodeName =
    nameIn(certificate) ??
    nameIn(await host.readFile(EDGE_CERTIFICATE)) ??
    configuration.name ??
    hostname.toLowerCase()
  const members = role === 'master' ? (await etcdMembers(host, DEFAULT_CERT_DIR)).voters : []
  return {
    isTouched:
      history.length > 0 ||
      (await readBaseline(ledger.directory)) !== undefined ||
      (await host.list(ledger.directory)).length > 0,
    role,
    nodeName,
    otherMasters: members.map(({ name }) => name).filter((name) => name !== nodeName),
    server,
    pods: await podsOf(host),
    kubeadm: await findKubeadm(host),
    criSocket: configuration.criSocket,
    ownsContainerd: recorded.has(CONTAINERD_UNIT),
    mayHaveRunPods: recorded.has('/etc/systemd/system/kubelet.service') || recorded.has(EDGECORE_UNIT_FILE),
  }
}

async function roleOf(host: Host): Promise<ResetFacts['role']> {
  for (const path of [EDGECORE_CONFIG, EDGE_CERTIFICATE, LITE.unitFile])
    if ((await host.stat(path)) !== undefined) return 'edge node'
  if ((await host.stat(API_SERVER)) !== undefined) return 'master'
  for (const path of EVIDENCE) if ((await host.stat(path)) !== undefined) return 'worker'
  return undefined
}

/** The kubelet keeps /var/lib/kubelet/pods/<uid>, and /var/log/pods/<namespace>_<name>_<uid> gives the names. */
async function podsOf(host: Host): Promise<string[]> {
  const uids = new Set(await host.list('/var/lib/kubelet/pods'))
  return (await host.list('/var/log/pods')).flatMap((directory) => {
    const [namespace, name, uid = ''] = directory.split('_')
    return uids.has(uid) ? [`${namespace}/${name}`] : []
  })
}

async function findKubeadm(host: Host): Promise<ResetFacts['kubeadm']> {
  for (const path of [`${BIN}/kubeadm`, '/usr/bin/kubeadm']) {
    if ((await host.stat(path)) === undefined) continue
    const { stdout, exitCode } = await host.probe(path, ['version', '-o', 'short'], { env: KUBEADM_ENV })
    if (exitCode === 0 && /^v\d+\.\d+\.\d+/.test(stdout)) return { path, version: stdout }
  }
  return undefined
}

/** `system:node:NAME` is the name by which the API server knows this kubelet. */
function nameIn(certificate: string | undefined): string | undefined {
  try {
    return /^CN=system:node:(.+)$/m.exec(new X509Certificate(certificate ?? '').subject)?.[1]
  } catch {
    return undefined // cut short by a power cut, or none: the configuration has the name, too
  }
}

function registrationOf(text: string): { name?: string; criSocket?: string } {
  for (const document of parseAllDocuments(text)) {
    const registration = (
      document.toJS() as { nodeRegistration?: { name?: string; criSocket?: string } } | null
    )?.nodeRegistration
    if (registration !== undefined) return registration
  }
  return {}
}
