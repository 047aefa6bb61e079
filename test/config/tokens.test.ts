import { expect, it } from 'vitest'
import {
  caCertHashProblem,
  generateCertificateKey,
  generateToken,
  parseToken,
  tokenProblem,
} from '../../src/config/tokens.ts'
import { signDetached, verifyDetached } from '../../src/kubernetes/jws.ts'
import { clusterOf, makeKubeconfig } from '../../src/kubernetes/kubeconfig.ts'

it('generates tokens and keys that it takes itself, a new one each time', () => {
  const tokens = Array.from({ length: 50 }, generateToken)
  for (const token of tokens) expect(tokenProblem(token)).toBeUndefined()
  expect(new Set(tokens).size).toBe(50)
  expect(generateCertificateKey()).toMatch(/^[0-9a-f]{64}$/)
})

it.each([
  '',
  'abcdef',
  'abcdef.0123456789abcde',
  'ABCDEF.0123456789abcdef',
  'abcdef.0123456789abcdef ',
  'a.b.c',
])('refuses "%s"', (text) => {
  expect(parseToken(text)).toBeUndefined()
  expect(tokenProblem(text)).toMatch(/^the bootstrap token is invalid/)
})

it('takes a hash in either case', () =>
  expect(caCertHashProblem(`SHA256:${'AB'.repeat(32)}`)).toBeUndefined())

it("signs as Kubernetes' bootstrap signer does", () => {
  // From the tests of k8s.io/cluster-bootstrap/token/jws.
  const token = { id: 'joshua', secret: 'my voice is my passcode' }
  const content = 'Hello from the other side. I must have called a thousand times.'
  expect(signDetached(content, token)).toBe(
    'eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8',
  )
})

it('verifies content, secret, id and algorithm', () => {
  const token = { id: 'abcdef', secret: '0123456789abcdef' }
  const signature = signDetached('content', token)
  expect(verifyDetached(signature, 'content', token)).toBe(true)
  expect(verifyDetached(signature, 'Content', token)).toBe(false)
  expect(verifyDetached(signature, 'content', { ...token, secret: 'f123456789abcdef' })).toBe(false)
  expect(verifyDetached(signature, 'content', { ...token, id: 'ffffff' })).toBe(false)
  const none = `${Buffer.from('{"alg":"none","kid":"abcdef"}').toString('base64url')}..`
  for (const wrong of [none, '', 'a.b.c', `${signature}x`, signature.slice(0, -3)])
    expect(verifyDetached(wrong, 'content', token), wrong).toBe(false)
})

it('writes and reads kubeconfig files', () => {
  const text = makeKubeconfig({ server: 'https://a:6443', caPem: 'PEM' }, 'u', { token: 't' })
  expect(clusterOf(text)).toEqual({ server: 'https://a:6443', caPem: 'PEM', caFile: undefined })
  expect(text).toContain('token: t')
  for (const wrong of ['', 'a: [', 'kind: Config', 'clusters: 3', '- x'])
    expect(clusterOf(wrong), wrong).toBeUndefined()
})
