/** CloudCore's CA and certificates, as they are in its Secrets: KubeEdge, cloud/pkg/cloudhub/servers/httpserver/pre_server.go. */

import { X509Certificate } from 'node:crypto'

export interface Secret {
  readonly metadata: { readonly name: string }
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>
}

export interface CloudCertificates {
  /** Signs the certificates of edge nodes, too. */
  readonly ca: X509Certificate | undefined
  /** Ports 10000 and 10002. */
  readonly server: X509Certificate | undefined
  /** Ports 10003 and 10004. */
  readonly stream: X509Certificate | undefined
}

/** Milliseconds. A certificate with less left is made anew by `init phase edge/certificates`. */
export const RENEW_BEFORE = 60 * 86_400_000
const DAY = 86_400_000

/** Undefined: it is not there, or is none. */
export function cloudCertificates(secrets: readonly Secret[]): CloudCertificates {
  const data = (name: string, key: string) =>
    secrets.find(({ metadata }) => metadata.name === name)?.data?.[key]
  return {
    ca: certificate(data('casecret', 'cadata')),
    server: certificate(data('cloudcoresecret', 'cloudcoredata')),
    stream: certificate(data('cloudcore', 'stream.crt')),
  }
}

function certificate(base64: string | undefined): X509Certificate | undefined {
  try {
    return base64 === undefined ? undefined : new X509Certificate(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

export function endsSoon(certificate: X509Certificate): boolean {
  return certificate.validToDate.getTime() < Date.now() + RENEW_BEFORE
}

/** A sentence for each that ends soon or has ended, with what to do. */
export function expiryWarnings({ ca, server, stream }: CloudCertificates): string[] {
  const renew = '`edgeadm init phase edge/certificates` on a master makes new ones'
  const rejoin = 'edge nodes trust no other CA, so they have to join again with a new one before that'
  return [
    ...warning("CloudCore's CA", ca, rejoin),
    ...warning("CloudCore's server certificate", server, renew),
    ...warning("CloudCore's stream certificate", stream, renew),
  ]
}

function warning(what: string, certificate: X509Certificate | undefined, todo: string): string[] {
  if (certificate === undefined || !endsSoon(certificate)) return []
  const left = certificate.validToDate.getTime() - Date.now()
  const when = certificate.validToDate.toISOString().slice(0, 10)
  return [
    `${what} ${left < 0 ? 'expired on' : `has ${Math.floor(left / DAY)} days left, until`} ${when}: ${todo}`,
  ]
}
