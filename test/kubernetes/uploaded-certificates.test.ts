import { createCipheriv, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { generateCertificateKey } from '../../src/config/tokens.ts'
import { canDecrypt } from '../../src/kubernetes/uploaded-certificates.ts'

/** As kubeadm seals: Go's `gcm.Seal(nonce, nonce, text, nil)`, which puts the tag last. */
function sealed(key: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'hex'), nonce)
  return Buffer.concat([nonce, cipher.update('certificate'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  )
}

it('knows the key that fits', () => {
  const key = generateCertificateKey()
  expect(canDecrypt({ data: { 'ca.crt': sealed(key) } }, key)).toBe(true)
  expect(canDecrypt({ data: { 'ca.crt': sealed(key) } }, generateCertificateKey())).toBe(false)
})

it.each([{}, { data: {} }, { data: { 'ca.crt': '' } }, { data: { 'ca.crt': 'c2hvcnQ=' } }])(
  'finds no key to fit %j',
  (secret) => {
    expect(canDecrypt(secret, generateCertificateKey())).toBe(false)
  },
)
