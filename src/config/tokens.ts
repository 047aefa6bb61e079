/** Bootstrap tokens, `id.secret`: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */

import { randomBytes, randomInt } from 'node:crypto'

export interface BootstrapToken {
  /** Six characters; not secret. */
  readonly id: string
  /** Sixteen characters. */
  readonly secret: string
}

export const TOKEN_FORMAT = '[a-z0-9]{6}.[a-z0-9]{16}'
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const TOKEN_ID = /^[a-z0-9]{6}$/
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

export function parseToken(text: string): BootstrapToken | undefined {
  const match = TOKEN.exec(text)
  return match ? { id: match[1] as string, secret: match[2] as string } : undefined
}

/**
 * What is wrong with a token, without repeating it: the secret of a token that is only slightly wrong is still a secret.
 */
export function tokenProblem(text: string): string | undefined {
  if (TOKEN.test(text)) return undefined
  const parts = text.split('.')
  if (parts.length !== 2)
    return `the bootstrap token is invalid: expected ${TOKEN_FORMAT}, without anything else`
  if (/[A-Z]/.test(text)) return `the bootstrap token is invalid: expected ${TOKEN_FORMAT}, all in lower case`
  const lengths = parts.map((part) => part.length).join(' and ')
  return `the bootstrap token is invalid: expected ${TOKEN_FORMAT}; this one has ${lengths} characters`
}

export function isTokenId(text: string): boolean {
  return TOKEN_ID.test(text)
}

export function generateToken(): string {
  const characters = (count: number) =>
    Array.from({ length: count }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return `${characters(6)}.${characters(16)}`
}

/** The key that encrypts uploaded certificates: an AES-256 key, hexadecimal, as `kubeadm certs certificate-key` prints it. */
export function generateCertificateKey(): string {
  return randomBytes(32).toString('hex')
}

/** kubeadm's two sentences about a certificate key. */
export function certificateKeyProblem(text: string): string | undefined {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) return 'the certificate key is not hexadecimal'
  if (text.length !== 64)
    return `invalid certificate key size ${text.length / 2}, the key must be an AES key of size 32`
  return undefined
}

/** `sha256:` and 64 hexadecimal digits. */
export function caCertHashProblem(text: string): string | undefined {
  const parts = text.split(':')
  if (parts.length !== 2) return `invalid hash "${text}", expected "sha256:hex-value"`
  const [format, value] = parts as [string, string]
  if (format.toLowerCase() !== 'sha256') return `unknown hash format "${format}"; the known format is sha256`
  if (!/^[0-9a-fA-F]*$/.test(value)) return `invalid hash "${text}": it is not hexadecimal`
  if (value.length !== 64)
    return `invalid hash "${text}": expected a 32 byte SHA-256 hash, found ${value.length / 2} bytes`
  return undefined
}
