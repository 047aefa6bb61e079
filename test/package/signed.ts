import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SIGNATURE_NAME, serializeManifest } from '../../src/package/manifest.ts'
import { signManifest } from '../../src/package/signature.ts'
import { entriesOf, manifestOf, type RawEntry } from './synthetic.ts'

/** A signer's key, and its public half in the form that a user has it in. */
export function newSigner(): { readonly key: KeyObject; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { key: privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

/** A small package's entries with the signature of the unchanged manifest where it has to be. */
export function signedEntries(key: KeyObject, manifest = manifestOf()): RawEntry[] {
  const content = signManifest(serializeManifest(manifestOf()), key)
  return entriesOf(manifest).toSpliced(1, 0, { path: SIGNATURE_NAME, content, mode: 0o644 })
}
