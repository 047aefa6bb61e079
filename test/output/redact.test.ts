import { expect, test } from 'vitest'
import { redact } from '../../src/output/redact.ts'

const PEM = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIPsecretsecretsecretsecretsecretsecretsecretsecoAoGCCqGSM49
-----END EC PRIVATE KEY-----`
const JWT = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ'
const KEY = 'a1'.repeat(32)

test.each([
  ['a private key', PEM, 'MHcCAQEEIPsecret'],
  ['one that was cut short', PEM.slice(0, 80), 'MHcCAQEEIPsecret'],
  [
    'one in base64',
    `client-key-data: ${Buffer.from(PEM).toString('base64')}`,
    Buffer.from(PEM).toString('base64').slice(20, 60),
  ],
  ['a bootstrap token', 'kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef', '0123456789abcdef'],
  ['one in YAML', 'bootstrapTokens:\n- token: abcdef.0123456789abcdef\n', '0123456789abcdef'],
  ['a JWT', `I1127 got ${JWT} from`, 'c2lnbmF0dXJl'],
  ['a header', `Authorization: Bearer ${'x'.repeat(20)}`, 'xxxxxxxx'],
  ['a certificate key', `certificateKey: ${KEY}`, KEY],
  ['one as a flag', `--certificate-key ${KEY} --v=1`, KEY],
  ['a password in JSON', '{"user":"u","password":"hunter2hunter2"}', 'hunter2'],
  ['one in an environment', 'DB_PASSWORD=hunter2hunter2', 'hunter2'],
  ['one in a manifest', '- name: DB_PASSWORD\n  value: hunter2hunter2\n', 'hunter2'],
  ['one in an URL', 'https://user:hunter2@example.org/x', 'hunter2'],
  ['an identity of age', 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQ', '1QQQQ'],
])('takes %s out', (_, text, secret) => {
  expect(text).toContain(secret)
  expect(redact(text)).not.toContain(secret)
  expect(redact(text)).toContain('[REDACTED]')
})

test.each([
  `registry.k8s.io/etcd@sha256:${KEY}`,
  '10.123.0.11:6443 master-1 Ready v1.33.13',
  '--token-auth-file is not used',
  'secrets "a" is forbidden',
  'fix: set the clock',
])('leaves %s', (text) => {
  expect(redact(text)).toBe(text)
})
