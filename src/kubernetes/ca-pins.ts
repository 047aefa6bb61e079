import { createHash, X509Certificate } from 'node:crypto'

/** The certificates of a PEM bundle, in order. @throws if one of them is malformed */
export function parseCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

/** `sha256:` and the hash of the certificate's Subject Public Key Info (RFC 7469), what `--discovery-token-ca-cert-hash` takes. */
export function publicKeyPin(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`
}

/** The pin of the first certificate in a PEM file: of `/etc/kubernetes/pki/ca.crt`, for the join line. */
export function caCertHash(pem: string): string {
  const [first] = parseCertificates(pem)
  if (!first) throw new Error('no certificate in the PEM text')
  return publicKeyPin(first)
}
