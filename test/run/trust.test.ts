/** Who signed a package, until when that counts, and what this machine has had before. */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { machineKeyring, makeKeyPair, readKeyring } from '../../src/package/keyring.ts'
import { serializeManifest } from '../../src/package/manifest.ts'
import { checkSignature, readPrivateKey, signManifest } from '../../src/package/signature.ts'
import { noteNewest } from '../../src/run/newest-package.ts'
import { openPackage } from '../../src/run/package.ts'
import { entriesOf, manifestOf, packageFile, reporter, temporaryFolder } from '../package/synthetic.ts'

const MANIFEST = serializeManifest(manifestOf())

function pair(name: string, expires?: string) {
  const folder = temporaryFolder()
  const made = makeKeyPair(folder, name, expires)
  return { ...made, key: readPrivateKey(made.privateKey), text: readFileSync(made.publicKey, 'utf8') }
}

function keyring(...pairs: ReturnType<typeof pair>[]): string {
  const folder = temporaryFolder()
  for (const [index, { text }] of pairs.entries()) writeFileSync(join(folder, `k${index}.pub`), text)
  return folder
}

function signed(by: ReturnType<typeof pair>, changes: Parameters<typeof manifestOf>[1] = {}): string {
  const manifest = manifestOf(undefined, { arch: process.arch === 'x64' ? 'amd64' : 'arm64', ...changes })
  const content = signManifest(serializeManifest(manifest), by.key)
  return packageFile(entriesOf(manifest).toSpliced(1, 0, { path: 'manifest.sig', content, mode: 0o644 }))
}

const open = (path: string, keys: string, flags = {}) =>
  openPackage({ 'install-pkg-path': path, 'install-pkg-public-key': keys, ...flags }, undefined, reporter())

test('a pair is made once, its private half for the signer alone', () => {
  const folder = temporaryFolder()
  const made = makeKeyPair(folder, 'site', '2030-01-31')
  expect(statSync(made.privateKey).mode & 0o777).toBe(0o600)
  expect(readKeyring(made.publicKey)).toMatchObject([
    { name: 'site', expires: new Date('2030-01-31T23:59:59Z') },
  ])
  expect(() => makeKeyPair(folder, 'site', undefined)).toThrow('site.key is there already')
  expect(readdirSync(folder)).toEqual(['site.key', 'site.pub'])
})

test('any key of the folder counts, until it expires', () => {
  const [one, two] = [pair('one'), pair('two', '2027-11-27')]
  const keys = readKeyring(keyring(one, two))
  const at = (time: string) => () =>
    checkSignature(MANIFEST, signManifest(MANIFEST, two.key), keys, 'p', Date.parse(time))
  expect(at('2027-11-27T12:00:00Z')).not.toThrow()
  expect(at('2027-11-28T00:00:00Z')).toThrow('p is signed with the key k1, which expired on 2027-11-27')
  expect(() => checkSignature(MANIFEST, signManifest(MANIFEST, pair('x').key), keys, 'p')).toThrow(
    'does not fit its manifest and the given keys',
  )
})

test.each([
  ['a folder without keys', (folder: string) => folder, 'there is no key in'],
  ['a private key', () => pair('x').privateKey, 'it is a private key'],
  ['no key', (folder: string) => join(folder, 'none'), 'cannot be read as a public key'],
  [
    'an expiry that is no date',
    (folder: string) => {
      writeFileSync(join(folder, 'x.pub'), `Expires: soon\n${pair('x').text}`)
      return folder
    },
    'says "Expires: soon", which is no date',
  ],
])('%s is said', (_, make, says) => {
  expect(() => readKeyring(make(temporaryFolder()))).toThrow(says)
})

test("this machine's keyring is one that has keys", () => {
  expect(machineKeyring(join(temporaryFolder(), 'none'))).toBeUndefined()
  expect(machineKeyring(temporaryFolder())).toBeUndefined()
  const keys = keyring(pair('a'))
  expect(machineKeyring(keys)).toBe(keys)
})

test('a signed package that is older than one before is refused, unless that is meant', async () => {
  const signer = pair('signer')
  const keys = keyring(signer)
  const [older, newer] = [
    signed(signer, { kubernetesVersion: 'v1.33.9' }),
    signed(signer, { kubernetesVersion: 'v1.33.13' }),
  ]
  const { manifest, publicKey } = await open(newer, keys)
  expect(publicKey).toBe(keys)
  expect((await open(older, keys)).manifest?.kubernetesVersion).toBe('v1.33.9')
  await noteNewest(manifest as NonNullable<typeof manifest>, keys)
  await expect(open(older, keys)).rejects.toMatchObject({
    class: 'package',
    message: `${older} (edgeadm 0.1.0, Kubernetes v1.33.9) is older than a signed package that this machine has had (edgeadm 0.1.0, Kubernetes v1.33.13)`,
    fix: expect.stringContaining('--allow-downgrade'),
  })
  const meant = await open(older, keys, { 'allow-downgrade': true })
  // What was noted stays the newest.
  await noteNewest(meant.manifest as NonNullable<typeof manifest>, keys)
  await expect(open(older, keys)).rejects.toThrow('is older')
  await open(newer, keys)
  await open(signed(signer, { edgeVersion: '0.2.0', kubernetesVersion: 'v1.32.1' }), keys)

  writeFileSync(join(keys, 'newest.json'), '{}')
  await expect(open(newer, keys)).rejects.toMatchObject({ class: 'usage' })
})

test('nothing is noted beside a single key', async () => {
  const signer = pair('signer')
  const folder = join(temporaryFolder(), 'sub')
  mkdirSync(folder)
  writeFileSync(join(folder, 'one.pub'), signer.text)
  await noteNewest(manifestOf(), join(folder, 'one.pub'))
  expect(readdirSync(folder)).toEqual(['one.pub'])
})
