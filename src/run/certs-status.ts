/** `edgeadm certs status`: when each certificate ends, and what renews it. */

import type { CertificateState } from '../kubernetes/expiry.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { table } from '../output/table.ts'
import { type CertificateReport, findCertificates } from './find-certificates.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

/** @throws EdgeadmError class `preflight` where there is no certificate to look at */
export async function certificatesStatus(reporting: Reporting): Promise<CertificateReport> {
  requireLinuxRoot('certs status', false)
  const report = await findCertificates(readOnlyHost(reporting), reporting.signal)
  if (report.certificates.length === 0)
    throw new EdgeadmError('preflight', 'this machine has no certificates of a cluster', {
      fix: 'run it on a master, a worker or an edge node',
    })
  return report
}

const WHO: Readonly<Record<CertificateState['renewal'], string>> = {
  command: 'edgeadm certs renew',
  automatic: 'by itself',
  'by hand': '-',
}

export function certificatesText({ certificates, notSeen }: CertificateReport): string {
  const rows = certificates.map(({ name, node, notAfter, level, renewal, where, isCa, ...one }) => [
    name,
    node ?? '(cluster)',
    notAfter.replace('.000Z', 'Z'),
    level === 'expired' ? 'EXPIRED' : `${one.daysLeft} d${level === 'ok' ? '' : ` ${level}`}`,
    isCa ? 'CA' : WHO[renewal],
    where,
  ])
  return [
    ...table([['NAME', 'NODE', 'ENDS', 'LEFT', 'RENEWED', 'WHERE'], ...rows]),
    ...(notSeen.length === 0 ? [] : ['', 'Not seen:', ...notSeen.map((text) => `  ${text}`)]),
  ].join('\n')
}

/** The exit code says it, too. */
export function certificatesError({ certificates }: CertificateReport): EdgeadmError | undefined {
  const late = certificates.filter(({ level }) => level !== 'ok')
  if (late.length === 0) return undefined
  const ended = late.filter(({ level }) => level === 'expired').length
  const cas = late.filter(({ isCa }) => isCa)
  const own = late.filter(({ isCa }) => !isCa)
  return new EdgeadmError(
    'attention',
    `${late.length} of ${certificates.length} certificates ${ended > 0 ? `have ended (${ended}) or end soon` : 'end soon'}`,
    {
      details: late.map(
        ({ name, node, notAfter }) =>
          `${name}${node === undefined ? '' : ` of ${node}`}: ${notAfter.slice(0, 19)}Z`,
      ),
      fix:
        own.length > 0
          ? `\`edgeadm certs renew\` on ${[...new Set(own.map(({ node }) => node ?? 'a master'))].join(', ')}`
          : `${cas.map(({ name }) => name).join(', ')}: a CA has to be replaced by hand, on all who trust it: docs/certificates.md`,
    },
  )
}
