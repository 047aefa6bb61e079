/** Certificates that have ended or end soon, as Events on the Nodes that have them: `kubectl describe node` shows them. */

import { LocalMachine } from '../host/local.ts'
import { unrecordedHost } from '../host/unrecorded.ts'
import type { CertificateState } from '../kubernetes/expiry.ts'
import { applyTemplate } from '../kubernetes/kubectl.ts'
import type { Reporting } from '../output/events.ts'

/** @throws EdgeadmError class `phase` if the API server does not take one */
export async function writeCertificateEvents(
  certificates: readonly CertificateState[],
  kubeconfig: string | undefined,
  { emit, signal }: Reporting,
): Promise<void> {
  const host = unrecordedHost(new LocalMachine(signal), 'status', emit)
  for (const certificate of certificates) {
    const event = eventOf(certificate)
    if (event === undefined) continue
    const options = kubeconfig === undefined ? {} : { kubeconfig }
    await applyTemplate(host, 'kubernetes/certificate-event.yaml', event, options)
  }
}

/** Undefined: it is good, or of no node. */
export function eventOf(
  { name, node, level, notAfter, renewal }: CertificateState,
  now: Date = new Date(),
): Readonly<Record<string, string>> | undefined {
  if (level === 'ok' || node === undefined) return undefined
  const ended = level === 'expired'
  const mend =
    renewal === 'by hand'
      ? 'docs/certificates.md says what a CA needs'
      : '`edgeadm certs renew` there renews it'
  return {
    name: `edgeadm-certificate.${node}.${name}`,
    node,
    reason: ended ? 'CertificateEnded' : 'CertificateEndsSoon',
    message: `the certificate ${name} ${ended ? 'has ended' : 'ends'} on ${notAfter.slice(0, 10)}: ${mend}`,
    time: now.toISOString().replace(/\.\d+Z$/, 'Z'),
  }
}
