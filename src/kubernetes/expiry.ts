/** How soon a certificate ends, and who renews it. */

import { X509Certificate } from 'node:crypto'

const DAY = 86_400_000

/** Days before the end at which a certificate is told of, the most urgent last. */
const LEVELS = [
  ['notice', 60],
  ['warning', 30],
  ['critical', 7],
] as const

export type Level = 'ok' | 'notice' | 'warning' | 'critical' | 'expired'

/** Of a certificate that its owner renews by itself, the part of its life that is left when something is wrong. */
const LATE = 0.08

/** Who makes a new one before it ends. */
export type Renewal =
  /** Nobody: `edgeadm certs renew` does. */
  | 'command'
  /** The kubelet or edgecore asks for a new one when 70 to 90 % of the time are over. */
  | 'automatic'
  /** A CA: all that trust it have to be told of a new one. */
  | 'by hand'

export interface CertificateState {
  /** The name that `edgeadm certs renew` takes; kubeadm's where kubeadm has one. */
  readonly name: string
  /** Undefined: it belongs to the cluster. */
  readonly node: string | undefined
  /** The file, or the address that shows it. */
  readonly where: string
  readonly isCa: boolean
  readonly subject: string
  readonly issuer: string
  /** Hexadecimal, as in `openssl x509 -serial`. */
  readonly serial: string
  /** RFC 3339, UTC. */
  readonly notBefore: string
  readonly notAfter: string
  /** Whole days; negative once it has ended. */
  readonly daysLeft: number
  readonly renewal: Renewal
  readonly level: Level
}

export interface Place {
  readonly name: string
  readonly node: string | undefined
  readonly where: string
  readonly renewal: Renewal
}

export function stateOf(
  place: Place,
  certificate: X509Certificate,
  now: number = Date.now(),
): CertificateState {
  const left = endOf(certificate) - now
  return {
    ...place,
    isCa: certificate.ca,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: certificate.serialNumber,
    notBefore: new Date(beginOf(certificate)).toISOString(),
    notAfter: new Date(endOf(certificate)).toISOString(),
    daysLeft: Math.floor(left / DAY),
    level: levelOf(place.renewal, certificate, left),
  }
}

/** A kubelet that has 50 days left of a year will have a new certificate soon: it is early, not late. */
function levelOf(renewal: Renewal, certificate: X509Certificate, left: number): Level {
  if (left <= 0) return 'expired'
  if (renewal === 'automatic') {
    const life = endOf(certificate) - beginOf(certificate)
    return left < LATE * life ? 'critical' : 'ok'
  }
  return LEVELS.findLast(([, days]) => left <= days * DAY)?.[0] ?? 'ok'
}

/** Undefined: the text holds no certificate. A file may hold a key beside it. */
export function parseCertificate(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** Milliseconds since the epoch. Node.js 20 has no validToDate yet. */
export const endOf = ({ validTo }: X509Certificate) => Date.parse(validTo)
export const beginOf = ({ validFrom }: X509Certificate) => Date.parse(validFrom)

const oneLine = (name: string) => name.split('\n').join(', ')
