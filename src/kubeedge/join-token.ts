/**
 * With what a machine gets its first certificate from CloudCore. KubeEdge's join token: the hex SHA-256 of CloudCore's CA
 * certificate (DER), a dot, and a JWT signed with HS256, whose key is the CA's private key (SEC 1, DER). Source: KubeEdge,
 * pkg/security/token/token.go. Or, with edgeadm's addition to CloudCore (kubeedge/bootstrap-tokens), a bootstrap token.
 */

import { createHash, createHmac, X509Certificate } from 'node:crypto'

export interface JoinToken {
  /** Lower-case hex. */
  readonly caHash: string
  /** What CloudCore gets: the JWT, or the bootstrap token. Secret. */
  readonly bearer: string
  /** Milliseconds since the epoch; of a bootstrap token only the API server knows it: Infinity. */
  readonly expires: number
}

/** @returns undefined if the text is no such token */
export function parseJoinToken(text: string): JoinToken | undefined {
  const match = /^([0-9a-f]{64})\.([\w-]+\.([\w-]+)\.[\w-]+)$/.exec(text.trim())
  if (match === null) return undefined
  try {
    const claims = JSON.parse(Buffer.from(String(match[3]), 'base64url').toString('utf8')) as {
      exp?: unknown
    }
    if (typeof claims.exp !== 'number') return undefined
    return { caHash: String(match[1]), bearer: String(match[2]), expires: claims.exp * 1000 }
  } catch {
    return undefined
  }
}

/**
 * A token of one's own, as CloudCore makes them; it knows nothing of it and takes it all the same.
 * @param ttl milliseconds
 */
export function makeJoinToken(ca: { certificateDer: Uint8Array; keyDer: Uint8Array }, ttl: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const expires = Math.floor((Date.now() + ttl) / 1000)
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ exp: expires })}`
  const signature = createHmac('sha256', ca.keyDer).update(signed).digest('base64url')
  return `${caHashOf(ca.certificateDer)}.${signed}.${signature}`
}

export function caHashOf(certificateDer: Uint8Array): string {
  return createHash('sha256').update(certificateDer).digest('hex')
}

/**
 * @param caPem CloudCore's CA, as the API server vouches for it
 * @throws TypeError if that is no certificate
 */
export function bootstrapJoinToken(caPem: string, bootstrapToken: string): JoinToken {
  return { caHash: caHashOf(new X509Certificate(caPem).raw), bearer: bootstrapToken, expires: Infinity }
}
