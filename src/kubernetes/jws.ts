/**
 * The signature by which a bootstrap token vouches for the cluster-info ConfigMap: a JWS with detached content (RFC 7515,
 * appendix F), HMAC-SHA256 keyed with the token's secret. Source: k8s.io/cluster-bootstrap/token/jws.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { BootstrapToken } from '../config/tokens.ts'

export function signDetached(content: string, token: BootstrapToken): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: token.id })).toString('base64url')
  return `${header}..${mac(header, content, token).toString('base64url')}`
}

export function verifyDetached(signature: string, content: string, token: BootstrapToken): boolean {
  const parts = signature.split('.')
  if (parts.length !== 3 || parts[1] !== '') return false
  const [header, , given] = parts as [string, string, string]
  let fields: { alg?: unknown; kid?: unknown }
  try {
    fields = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as typeof fields
  } catch {
    return false
  }
  if (fields.alg !== 'HS256' || fields.kid !== token.id) return false
  const expected = mac(header, content, token)
  const received = Buffer.from(given, 'base64url')
  return received.length === expected.length && timingSafeEqual(received, expected)
}

function mac(header: string, content: string, token: BootstrapToken): Buffer {
  const payload = Buffer.from(content).toString('base64url')
  return createHmac('sha256', token.secret).update(`${header}.${payload}`).digest()
}
