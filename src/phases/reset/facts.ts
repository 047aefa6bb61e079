/** What reset finds on a machine before it changes anything. Only looks, and needs no API server. */

import { X509Certificate } from 'node:crypto'
import { dirname } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Look } from '../../host/host.ts'
import type { Ledger } from '../../host/ledger.ts'
import { EDGE_CERTIFICATE, EDGECORE_CONFIG, EDGECORE_UNIT_FILE } from '../../kubeedge/paths.ts'
import type { Distribution } from '../../kubernetes/distributions.ts'
import { nameOf } from '../../kubernetes/etcd.ts'
import { ownMember, stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { staticPodFlags } from '../../kubernetes/static-pod.ts'
import { readBaseline } from '../../network/baseline.ts'
import { LITE } from '../../superedge/paths.ts'
import { BIN, KUBEADM_CONFIG, KUBEADM_ENV, KUBELET_CONF } from '../context.ts'
import { CONTAINERD_UNIT } from '../runtime/containerd.ts'
import { foreignOwner, ownsNode, type Role, roleOf } from './node-owner.ts'

export interface ResetFacts {
  /** Whether edgeadm changed anything here that is not taken back yet, or has things of its own in its directory. */
  readonly isTouched: boolean
  /** Of the node that edgeadm made. Undefined: it made none, or not yet. */
  readonly role: Role | undefined
  /** What made the node that is here, where edgeadm did not. Then nothing is reset. */
  readonly foreign: Distribution | undefined
  readonly nodeName: string
  /** On a master: the other members of etcd, by name, if it could be asked; learners too. */
  readonly otherMasters: readonly string[]
  /** Where this master's certificates lie, as its API server is told. */
  readonly certDir: string | undefined
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

const CLIENT_CERTIFICATE = '/var/lib/kubelet/pki/kubelet-client-current.pem'

export async function gatherResetFacts(host: Look, ledger: Ledger, hostname: string): Promise<ResetFacts> {
  const history = await ledger.history()
  const recorded = new Set(history.map((entry) => ('path' in entry ? entry.path : '')))
  const configuration = registrationOf((await host.readFile(KUBEADM_CONFIG)) ?? '')
  const server =
    /--kube-apiserver-url=(\S+)/.exec((await host.readFile(LITE.unitFile)) ?? '')?.[1] ??
    /server: (\S+)/.exec((await host.readFile(KUBELET_CONF)) ?? '')?.[1] ??
    /httpServer: (\S+)/.exec((await host.readFile(EDGECORE_CONFIG)) ?? '')?.[1]
  const certificate = await host.readFile(CLIENT_CERTIFICATE)
  const contents = { history, pending: await ledger.entries() }
  const role = ownsNode(contents) ? await roleOf(host) : undefined
  const nodeName =
    nameIn(certificate) ??
    nameIn(await host.readFile(EDGE_CERTIFICATE)) ??
    configuration.name ??
    hostname.toLowerCase()
  const clientCa = (await staticPodFlags(host, 'kube-apiserver'))?.get('client-ca-file')
  return {
    isTouched:
      history.length > 0 ||
      (await readBaseline(ledger.directory)) !== undefined ||
      (await host.list(ledger.directory)).length > 0,
    role,
    foreign: await foreignOwner(host, contents),
    nodeName,
    otherMasters: role === 'master' ? await otherMembers(host) : [],
    certDir: clientCa === undefined ? undefined : dirname(clientCa),
    server,
    pods: await podsOf(host),
    kubeadm: await findKubeadm(host),
    criSocket: configuration.criSocket,
    ownsContainerd: recorded.has(CONTAINERD_UNIT),
    mayHaveRunPods: recorded.has('/etc/systemd/system/kubelet.service') || recorded.has(EDGECORE_UNIT_FILE),
  }
}

async function otherMembers(host: Look): Promise<string[]> {
  const members = (await stackedEtcd(host))?.members ?? []
  const own = await ownMember(host, members)
  return members.filter(({ id }) => id !== own?.id).map(nameOf)
}

/** The kubelet keeps /var/lib/kubelet/pods/<uid>, and /var/log/pods/<namespace>_<name>_<uid> gives the names. */
async function podsOf(host: Look): Promise<string[]> {
  const uids = new Set(await host.list('/var/lib/kubelet/pods'))
  return (await host.list('/var/log/pods')).flatMap((directory) => {
    const [namespace, name, uid = ''] = directory.split('_')
    return uids.has(uid) ? [`${namespace}/${name}`] : []
  })
}

async function findKubeadm(host: Look): Promise<ResetFacts['kubeadm']> {
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
