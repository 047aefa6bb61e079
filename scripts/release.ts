/**
 * `npm run release [-- --arch amd64 --arch arm64] [--without-packages] [--sign-key key.pem]`: makes dist/ anew, everything
 * that a user downloads. Without --sign-key (or EDGEADM_RELEASE_KEY) a key of this checkout's own is made once, build/release-key.pem.
 */

import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { COMMANDS } from '../src/commands/index.ts'
import { sbomDocument } from '../src/package/sbom/document.ts'
import { VERSION } from '../src/version.ts'
import type { PartWithTexts } from './parts.ts'
import { describeCommands } from './reference/commands.ts'
import { manPages } from './reference/man-pages.ts'

/** The packager, a Go module (https://nfpm.goreleaser.com). */
const NFPM = 'github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2'
const OWN_KEY = 'build/release-key.pem'

const { values } = parseArgs({
  options: {
    arch: { type: 'string', multiple: true, default: ['amd64', 'arm64'] },
    'package-arch': { type: 'string', multiple: true, default: ['amd64'] },
    'without-packages': { type: 'boolean', default: false },
    'sign-key': { type: 'string' },
  },
})
const step = (text: string) => console.error(`==> ${text}`)
const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })

const key = signingKey()
const nfpm = packager()
rmSync('dist', { recursive: true, force: true })
mkdirSync('dist')
for (const arch of values.arch) {
  step(`the executable for ${arch}`)
  node('scripts/build.ts', '--arch', arch)
  copyFileSync(`build/edgeadm-linux-${arch}`, `dist/edgeadm-linux-${arch}`)
  const parts = JSON.parse(readFileSync(`build/parts-${arch}.json`, 'utf8')) as PartWithTexts[]
  writeFileSync(`dist/edgeadm-linux-${arch}.cdx.json`, executableSbom(arch, parts))
  step(`.deb and .rpm for ${arch}`)
  distributionPackages(arch, stage(arch, parts))
}
if (!values['without-packages'])
  for (const arch of values['package-arch']) {
    step(`the offline package for ${arch}`)
    execFileSync(
      process.execPath,
      [
        'bin/edgeadm.ts',
        'package',
        'build',
        '--arch',
        arch,
        '--with',
        'load-balancer',
        '--output-dir',
        'dist',
        '--sign-key',
        key,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
  }
step('the npm package for programs')
node('scripts/library.ts')
execFileSync('npm', ['pack', '--silent', './build/library', '--pack-destination', 'dist'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
copyFileSync('scripts/packaging/install.sh', 'dist/install.sh')
copyFileSync('CHANGELOG.md', 'dist/CHANGELOG.md')
chmodSync('dist/install.sh', 0o755)
writeFileSync('dist/release.pub', publicKey().export({ type: 'spki', format: 'pem' }))
const sums = readdirSync('dist')
  .sort()
  .map((name) => `${sha256(readFileSync(join('dist', name)))}  ${name}\n`)
  .join('')
writeFileSync('dist/SHA256SUMS', sums)
writeFileSync('dist/SHA256SUMS.sig', sign(null, Buffer.from(sums), createPrivateKey(readFileSync(key))))
process.stdout.write(sums)
step(`dist/ is signed with ${key}; SHA-256 of the public key (DER): ${fingerprint()}`)

/** Path of the private key. A release that others install is signed with a key that is kept elsewhere. */
function signingKey(): string {
  const given = values['sign-key'] ?? process.env.EDGEADM_RELEASE_KEY
  if (given !== undefined) return given
  if (!existsSync(OWN_KEY)) {
    mkdirSync('build', { recursive: true })
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(OWN_KEY, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  }
  step(`no --sign-key: signing with this checkout's own key, ${OWN_KEY}`)
  return OWN_KEY
}

function publicKey() {
  return createPublicKey(createPrivateKey(readFileSync(key)))
}

function fingerprint(): string {
  return sha256(publicKey().export({ type: 'spki', format: 'der' }))
}

function packager(): string {
  const folder = join(process.cwd(), 'build/tools')
  const path = join(folder, 'nfpm')
  if (!existsSync(path)) {
    step(`compiling the packager (once, a few minutes): ${NFPM}`)
    execFileSync('go', ['install', NFPM], { env: { ...process.env, GOBIN: folder }, stdio: 'inherit' })
  }
  return path
}

/** Everything that goes into .deb and .rpm, beside the executable: man pages, completion, documents. */
function stage(arch: string, parts: readonly PartWithTexts[]): string {
  const folder = join('build', `stage-${arch}`)
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['man', 'completion', 'doc']) mkdirSync(join(folder, name), { recursive: true })
  copyFileSync(`build/edgeadm-linux-${arch}`, join(folder, 'edgeadm'))
  for (const [name, text] of manPages(describeCommands(COMMANDS), VERSION))
    writeFileSync(join(folder, 'man', `${name}.gz`), gzipSync(text, { level: 9 }))
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(
      join(folder, 'completion', `edgeadm.${shell}`),
      execFileSync(process.execPath, ['bin/edgeadm.ts', 'completion', shell]),
    )
  writeFileSync(join(folder, 'doc/copyright'), copyright(parts))
  copyFileSync('CHANGELOG.md', join(folder, 'doc/CHANGELOG.md'))
  copyFileSync(`dist/edgeadm-linux-${arch}.cdx.json`, join(folder, 'doc/edgeadm.cdx.json'))
  return folder
}

function copyright(parts: readonly PartWithTexts[]): string {
  const others = parts.map(
    ({ name, version, licence, texts }) =>
      `${'='.repeat(78)}\n${name} ${version} (${licence})\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`,
  )
  return `edgeadm ${VERSION} is licensed under Apache-2.0. It contains the parts below, each under its own licence.\n\n${others.join('\n')}`
}

function distributionPackages(arch: string, folder: string): void {
  const env = { ...process.env, ARCH: arch, VERSION, STAGE: folder, SOURCE_DATE_EPOCH: '0' }
  for (const format of ['deb', 'rpm'])
    execFileSync(
      nfpm,
      ['package', '--config', 'scripts/packaging/nfpm.yaml', '--packager', format, '--target', 'dist/'],
      {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
}

function executableSbom(arch: string, parts: readonly PartWithTexts[]): string {
  const path = `dist/edgeadm-linux-${arch}`
  return sbomDocument(
    {
      kind: 'application',
      name: 'edgeadm',
      version: VERSION,
      licence: 'Apache-2.0',
      sha256: sha256(readFileSync(path)),
    },
    parts.map(({ name, version, licence }) => ({
      kind: 'library',
      name,
      version,
      licence,
      purl:
        name === 'node' ? `pkg:generic/node@${version}` : `pkg:npm/${name.replace('@', '%40')}@${version}`,
    })),
  )
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
