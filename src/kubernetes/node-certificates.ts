/** The certificates that lie on a machine: kubeadm's, the kubelet's. No API server is needed to look at them. */

import type { X509Certificate } from 'node:crypto'
import { dirname } from 'node:path'
import { parse } from 'yaml'
import type { Look } from '../host/host.ts'
import { type Place, parseCertificate, type Renewal } from './expiry.ts'
import { staticPodFlags } from './static-pod.ts'

export interface FoundCertificate extends Place {
  readonly certificate: X509Certificate
}

export const KUBERNETES = '/etc/kubernetes'
export const KUBELET_PKI = '/var/lib/kubelet/pki'
export const KUBELET_CLIENT = `${KUBELET_PKI}/kubelet-client-current.pem`
const DEFAULT_PKI = `${KUBERNETES}/pki`

/** kubeadm's names, each with its file in the directory of certificates: cmd/kubeadm/app/phases/certs/certlist.go. */
export const IN_PKI: Readonly<Record<string, string>> = {
  apiserver: 'apiserver.crt',
  'apiserver-kubelet-client': 'apiserver-kubelet-client.crt',
  'front-proxy-client': 'front-proxy-client.crt',
  'apiserver-etcd-client': 'apiserver-etcd-client.crt',
  'etcd-server': 'etcd/server.crt',
  'etcd-peer': 'etcd/peer.crt',
  'etcd-healthcheck-client': 'etcd/healthcheck-client.crt',
}
/** Kubeconfigs whose client certificate kubeadm renews. */
export const KUBECONFIGS = [
  'admin.conf',
  'super-admin.conf',
  'controller-manager.conf',
  'scheduler.conf',
] as const
const CAS: Readonly<Record<string, string>> = {
  ca: 'ca.crt',
  'etcd-ca': 'etcd/ca.crt',
  'front-proxy-ca': 'front-proxy-ca.crt',
}

/** Where this master's certificates lie, as its API server is told; kubeadm's default where there is none. */
export async function pkiDirectory(host: Look): Promise<string> {
  const ca = (await staticPodFlags(host, 'kube-apiserver'))?.get('client-ca-file')
  return ca === undefined ? DEFAULT_PKI : dirname(ca)
}

/** @param node the name of this machine's node */
export async function nodeCertificates(host: Look, node: string | undefined): Promise<FoundCertificate[]> {
  const pki = await pkiDirectory(host)
  const found: FoundCertificate[] = []
  const add = (name: string, where: string, renewal: Renewal, pem: string | undefined): void => {
    const certificate = parseCertificate(pem)
    if (certificate !== undefined) found.push({ name, node, where, renewal, certificate })
  }
  const addFile = async (name: string, path: string, renewal: Renewal): Promise<void> =>
    add(name, path, renewal, await host.readFile(path))
  const isMaster = (await host.stat(`${KUBERNETES}/manifests/kube-apiserver.yaml`)) !== undefined
  if (isMaster) {
    for (const [name, file] of Object.entries(CAS)) await addFile(name, `${pki}/${file}`, 'by hand')
    for (const [name, file] of Object.entries(IN_PKI)) await addFile(name, `${pki}/${file}`, 'command')
    for (const name of KUBECONFIGS) {
      const path = `${KUBERNETES}/${name}`
      add(name, path, 'command', clientCertificate(await host.readFile(path)))
    }
  } else await addFile('ca', `${pki}/ca.crt`, 'by hand')
  await addFile('kubelet-client', KUBELET_CLIENT, 'automatic')
  const rotated = `${KUBELET_PKI}/kubelet-server-current.pem`
  if ((await host.stat(rotated)) !== undefined) await addFile('kubelet-server', rotated, 'automatic')
  else await addFile('kubelet-server', `${KUBELET_PKI}/kubelet.crt`, 'command')
  return found
}

interface Kubeconfig {
  readonly users?: readonly { readonly user?: { readonly 'client-certificate-data'?: string } }[]
}

/** The PEM of the client certificate in a kubeconfig; undefined if it has none, or names a file. */
export function clientCertificate(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    const config = parse(text) as Kubeconfig | null
    const data = config?.users?.[0]?.user?.['client-certificate-data']
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8')
  } catch {
    return undefined // torn by a power cut
  }
}

/** `system:node:NAME` in the kubelet's own certificate is what the API server knows this machine by. */
export async function kubeletNodeName(host: Look): Promise<string | undefined> {
  const certificate = parseCertificate(await host.readFile(KUBELET_CLIENT))
  return /^CN=system:node:(.+)$/m.exec(certificate?.subject ?? '')?.[1]
}
