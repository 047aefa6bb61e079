/** All certificates that can be seen from this machine: its own files, and what others show on their ports. */

import { hostname } from 'node:os'
import type { Look } from '../host/host.ts'
import { cloudCertificates } from '../kubeedge/cloud-certificates.ts'
import { EDGE_CA, EDGE_CERTIFICATE } from '../kubeedge/paths.ts'
import { type CertificateState, parseCertificate, type Renewal, stateOf } from '../kubernetes/expiry.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { type FoundCertificate, kubeletNodeName, nodeCertificates } from '../kubernetes/node-certificates.ts'
import { servedCertificate } from '../network/served-certificate.ts'
import { messageOf } from '../output/errors.ts'
import { cloudSecrets } from '../phases/edge/certificates.ts'
import { LITE } from '../superedge/paths.ts'

export interface CertificateReport {
  readonly schema: 'edgeadm.io/certificates/v1alpha1'
  readonly node: string | undefined
  readonly certificates: readonly CertificateState[]
  /** What could not be looked at, and why; one sentence each. */
  readonly notSeen: readonly string[]
}

/** Of this machine alone; needs no API server. */
export async function ownCertificates(host: Look): Promise<FoundCertificate[]> {
  const node = (await kubeletNodeName(host)) ?? (await edgeNodeName(host)) ?? hostname().toLowerCase()
  const found = await nodeCertificates(host, node)
  for (const [name, where, renewal] of [
    ['edge-ca', EDGE_CA, 'by hand'],
    ['edgecore', EDGE_CERTIFICATE, 'automatic'],
    ['lite-apiserver', LITE.certificate, 'by hand'],
  ] as const) {
    const certificate = parseCertificate(await host.readFile(where))
    if (certificate !== undefined) found.push({ name, node, where, renewal, certificate })
  }
  return found
}

async function edgeNodeName(host: Look): Promise<string | undefined> {
  const certificate = parseCertificate(await host.readFile(EDGE_CERTIFICATE))
  return /^CN=system:node:(.+)$/m.exec(certificate?.subject ?? '')?.[1]
}

/** CloudCore's, from its Secrets. @throws EdgeadmError class `phase` if the API server does not answer */
export async function cloudCoreCertificates(host: Look): Promise<FoundCertificate[]> {
  const { ca, server, stream } = cloudCertificates(await cloudSecrets(host))
  const all = [
    ['cloudcore-ca', ca, 'Secret casecret', 'by hand'],
    ['cloudcore-server', server, 'Secret cloudcoresecret', 'command'],
    ['cloudcore-stream', stream, 'Secret cloudcore', 'command'],
  ] as const
  return all.flatMap(([name, certificate, where, renewal]) =>
    certificate === undefined ? [] : [{ name, node: undefined, where, renewal, certificate }],
  )
}

interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly status: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
}

/** Ports of other nodes that show a certificate: of a master, of every node with a kubelet. */
const MASTER_PORTS = [
  ['apiserver', 6443, 'command'],
  ['etcd-server', 2379, 'command'],
  ['etcd-peer', 2380, 'command'],
] as const
const KUBELET_PORT = ['kubelet-server', 10250, 'command'] as const

async function shownByOthers(
  host: Look,
  own: string | undefined,
  signal: AbortSignal,
): Promise<{ found: FoundCertificate[]; notSeen: string[] }> {
  const list = await kubectlGet<{ items: readonly NodeObject[] }>(host, ['nodes'])
  const found: FoundCertificate[] = []
  const notSeen: string[] = []
  const look = async (
    node: string,
    address: string,
    [name, port, renewal]: readonly [string, number, Renewal],
  ): Promise<void> => {
    const where = `${address.includes(':') ? `[${address}]` : address}:${port}`
    try {
      found.push({ name, node, where, renewal, certificate: await servedCertificate(address, port, signal) })
    } catch (error) {
      signal.throwIfAborted()
      notSeen.push(`${name} of ${node} at ${where}: ${messageOf(error)}`)
    }
  }
  await Promise.all(
    (list?.items ?? []).flatMap(({ metadata: { name, labels = {} }, status }) => {
      const address = status.addresses?.find(({ type }) => type === 'InternalIP')?.address
      if (name === own || address === undefined) return []
      if ('node-role.kubernetes.io/edge' in labels) {
        notSeen.push(`${name} is an edge node, which nobody can look into from here: run it there`)
        return []
      }
      const isMaster = 'node-role.kubernetes.io/control-plane' in labels
      return [...(isMaster ? MASTER_PORTS : []), KUBELET_PORT].map((port) => look(name, address, port))
    }),
  )
  const order = ({ node, name }: FoundCertificate) => `${node} ${name}`
  return { found: found.sort((a, b) => order(a).localeCompare(order(b))), notSeen: notSeen.sort() }
}

/** Never fails for want of an API server: that is when it is needed most. */
export async function findCertificates(host: Look, signal: AbortSignal): Promise<CertificateReport> {
  const own = await ownCertificates(host)
  const node = own.find((one) => one.node !== undefined)?.node
  const found = [...own]
  const notSeen: string[] = []
  if (own.some(({ name }) => name === 'admin.conf')) {
    try {
      found.push(...(await cloudCoreCertificates(host)))
      const others = await shownByOthers(host, node, signal)
      found.push(...others.found)
      notSeen.push(...others.notSeen)
    } catch (error) {
      signal.throwIfAborted()
      notSeen.push(`other nodes and CloudCore: the API server does not answer (${messageOf(error)})`)
    }
  }
  return {
    schema: 'edgeadm.io/certificates/v1alpha1',
    node,
    certificates: found.map((one) => stateOf(one, one.certificate)),
    notSeen,
  }
}
