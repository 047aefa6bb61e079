/** Keys that a package may be signed with: one file, or a folder of them. */

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { EdgeadmError, messageOf } from '../output/errors.ts'

/** Where keys are looked for when none is named. Root's, and not edgeadm's: reset leaves it. */
export const KEYRING = '/etc/edgeadm/keyring'

const ENDING = '.pub'

export interface TrustedKey {
  /** The file's name without its ending. */
  readonly name: string
  readonly key: KeyObject
  /** The last moment at which a signature by it is taken; undefined: always. */
  readonly expires: Date | undefined
}

/**
 * @param path a public key (PEM), or a folder: then each `*.pub` in it
 * @throws EdgeadmError class `usage`
 */
export function readKeyring(path: string): TrustedKey[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isFolder) return [readTrustedKey(path)]
  const files = readdirSync(path)
    .filter((name) => name.endsWith(ENDING))
    .sort()
  if (files.length === 0)
    throw new EdgeadmError('usage', `there is no key in ${path}: it has no file *${ENDING}`, {
      fix: `copy the signer's public key there, or make a pair with \`edgeadm package keygen NAME\``,
    })
  return files.map((name) => readTrustedKey(join(path, name)))
}

/** The keyring of this machine, if somebody has set one up. */
export function machineKeyring(path = KEYRING): string | undefined {
  try {
    return readdirSync(path).some((name) => name.endsWith(ENDING)) ? path : undefined
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new EdgeadmError('usage', `the keys in ${path} cannot be read: ${messageOf(error)}`)
  }
}

function readTrustedKey(path: string): TrustedKey {
  let text: string
  let key: KeyObject
  try {
    text = readFileSync(path, 'utf8')
    if (text.includes('PRIVATE KEY'))
      throw new Error('it is a private key, which belongs to the signer alone')
    key = createPublicKey(text.slice(Math.max(0, text.indexOf('-----BEGIN'))))
  } catch (error) {
    throw new EdgeadmError('usage', `${path} cannot be read as a public key: ${messageOf(error)}`, {
      fix: 'make a pair with `edgeadm package keygen NAME`, and give NAME.pub to those who verify',
    })
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new EdgeadmError('usage', `${path} is a key for ${key.asymmetricKeyType}, not for ed25519`)
  return { name: basename(path, ENDING), key, expires: expiryOf(text, path) }
}

/** The line `Expires: 2027-11-27` before the key. */
function expiryOf(text: string, path: string): Date | undefined {
  const value = /^expires:\s*(.*?)\s*$/im.exec(text.slice(0, text.indexOf('-----BEGIN')))?.[1]
  if (value === undefined) return undefined
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T23:59:59Z` : value)
  if (!Number.isNaN(date.getTime())) return date
  throw new EdgeadmError('usage', `${path} says "Expires: ${value}", which is no date`, {
    fix: 'write it as in "Expires: 2027-11-27"',
  })
}

/**
 * Makes a pair: `NAME.key` for the signer alone, `NAME.pub` for all who verify.
 * @param expires a day, as `2027-11-27`
 * @throws EdgeadmError class `usage`: there are such files already, or they cannot be written
 */
export function makeKeyPair(
  folder: string,
  name: string,
  expires: string | undefined,
): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const paths = { privateKey: join(folder, `${name}.key`), publicKey: join(folder, `${name}${ENDING}`) }
  const head = expires === undefined ? '' : `Expires: ${expires}\n`
  const contents = [
    [paths.privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600],
    [paths.publicKey, `${head}${publicKey.export({ type: 'spki', format: 'pem' })}`, 0o644],
  ] as const
  for (const [path, text, mode] of contents)
    try {
      writeFileSync(path, text, { flag: 'wx', mode })
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST'
      throw new EdgeadmError(
        'usage',
        exists ? `${path} is there already` : `${path} cannot be written: ${messageOf(error)}`,
        {
          fix: 'choose another name or another --output-dir; a key is never written over',
        },
      )
    }
  return paths
}
