import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { TrustedKey } from './keyring.ts'

/**
 * Reads the signer's ed25519 key in PEM form (`edgeadm package keygen`, `openssl genpkey -algorithm ed25519`).
 * @throws EdgeadmError class `usage`
 */
export function readPrivateKey(path: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(readFileSync(path))
  } catch (error) {
    throw new EdgeadmError('usage', `${path} cannot be read as a private key: ${messageOf(error)}`, {
      fix: 'make a pair with `edgeadm package keygen NAME`, and sign with NAME.key',
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

/**
 * @param now milliseconds; when it is asked whether a key has expired
 * @throws EdgeadmError class `package`
 */
export function checkSignature(
  manifest: Buffer,
  signature: Buffer,
  keys: readonly TrustedKey[],
  where: string,
  now = Date.now(),
): void {
  const text = signature.toString('latin1').trim()
  const bytes = Buffer.from(text, 'base64')
  // Node skips what is no base64: only one way to write a signature is taken.
  const isPlain = bytes.length === 64 && bytes.toString('base64') === text
  const signer = isPlain ? keys.find(({ key }) => verify(null, manifest, key, bytes)) : undefined
  if (signer === undefined)
    throw new EdgeadmError(
      'package',
      `the signature of ${where} does not fit its manifest and the given key${keys.length > 1 ? 's' : ''}`,
      { fix: 'get the package from who signed it, and check that the key is theirs' },
    )
  if (signer.expires !== undefined && signer.expires.getTime() < now)
    throw new EdgeadmError(
      'package',
      `${where} is signed with the key ${signer.name}, which expired on ${signer.expires.toISOString().slice(0, 10)}`,
      { fix: 'get a package that is signed with a newer key, and the public half of that; or set the clock' },
    )
}
