import { X509Certificate } from 'node:crypto'

/** The DNS names and IP addresses of a certificate; none without one. */
export function namesIn(pem: string | undefined): string[] {
  const names = pem === undefined ? undefined : new X509Certificate(pem).subjectAltName
  return (names ?? '').split(', ').flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? [])
}
