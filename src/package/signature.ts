import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { EdgeadmError, messageOf } from '../output/errors.ts'

/**
 * Reads an ed25519 key in PEM form (`openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`).
 * @throws EdgeadmError class `usage`
 */
export function readKey(path: string, kind: 'private' | 'public'): KeyObject {
  let key: KeyObject
  try {
    const pem = readFileSync(path)
    key = kind === 'private' ? createPrivateKey(pem) : createPublicKey(pem)
  } catch (error) {
    throw new EdgeadmError('usage', `${path} cannot be read as a ${kind} key: ${messageOf(error)}`, {
      fix: 'make a pair with `openssl genpkey -algorithm ed25519 -out key.pem` and `openssl pkey -in key.pem -pubout -out key.pub`',
    })
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new EdgeadmError('usage', `${path} is a key for ${key.asymmetricKeyType}, not for ed25519`)
  return key
}

/** The contents of manifest.sig: base64 of the ed25519 signature over manifest.json's bytes, and a line end. */
export function signManifest(manifest: Buffer, key: KeyObject): Buffer {
  return Buffer.from(`${sign(null, manifest, key).toString('base64')}\n`)
}

/** @throws EdgeadmError class `package` */
export function checkSignature(manifest: Buffer, signature: Buffer, key: KeyObject, where: string): void {
  const bytes = Buffer.from(signature.toString('latin1').trim(), 'base64')
  if (bytes.length === 64 && verify(null, manifest, key, bytes)) return
  throw new EdgeadmError('package', `the signature of ${where} does not fit its manifest and the given key`, {
    fix: 'get the package from who signed it, and check that the key is theirs',
  })
}
