import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ConfigFile } from '../config/file.ts'
import type { VersionFacts } from '../config/types.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import {
  cacheDirectory,
  checkArchitecture,
  fetchPackage,
  type PackageManifest,
  readPackageManifest,
} from '../package/index.ts'
import { DOWNLOADS } from '../phases/context.ts'

export interface OpenedPackage {
  /** Where it lies on this machine; undefined: none was named. */
  readonly path: string | undefined
  readonly manifest: PackageManifest | undefined
  readonly versions: VersionFacts
}

/** As the flags have it; the file's EdgeConfiguration says what they leave open. */
export interface PackageFlags {
  readonly 'install-pkg-path'?: string | undefined
  readonly 'install-pkg-sha256'?: string | undefined
  readonly 'install-pkg-public-key'?: string | undefined
}

/**
 * What the package offers, before anything is decided: only its manifest is read. A package at an URL is downloaded first.
 * @throws EdgeadmError class `package`: missing, not a package, another sha256, not signed with the key, for another
 *   architecture; `usage`: the key cannot be read
 */
export async function openPackage(
  flags: PackageFlags,
  file: ConfigFile | undefined,
  reporting: Reporting,
): Promise<OpenedPackage> {
  const inFile = file?.documents.get('EdgeConfiguration')?.value.package as
    | Record<string, unknown>
    | undefined
  const named = flags['install-pkg-path'] ?? textOf(inFile?.path)
  const sha256 = (flags['install-pkg-sha256'] ?? textOf(inFile?.sha256))?.toLowerCase()
  const publicKey = flags['install-pkg-public-key'] ?? textOf(inFile?.publicKey)
  if (named === undefined)
    return {
      path: undefined,
      manifest: undefined,
      versions: { kubernetesVersions: [], source: 'no package' },
    }
  const path = /^https?:\/\//.test(named) ? await download(named, sha256, reporting) : named
  if (path === named && sha256 !== undefined) await checkSum(path, sha256)
  const manifest = await readPackageManifest(path, {
    ...reporting,
    ...(publicKey === undefined ? {} : { publicKey }),
  })
  checkArchitecture(manifest, path)
  return { path, manifest, versions: { kubernetesVersions: [manifest.kubernetesVersion], source: path } }
}

async function download(url: string, sha256: string | undefined, reporting: Reporting): Promise<string> {
  const directory = process.getuid?.() === 0 ? DOWNLOADS : join(cacheDirectory(), 'downloads')
  const path = join(directory, basename(new URL(url).pathname) || 'package')
  const task = 'download the package'
  await fetchPackage(url, path, { ...reporting, task, ...(sha256 === undefined ? {} : { sha256 }) })
  return path
}

async function checkSum(path: string, expected: string): Promise<void> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  } catch (cause) {
    throw new EdgeadmError('package', `${path} cannot be read, so its sha256 cannot be checked`, { cause })
  }
  const actual = hash.digest('hex')
  if (actual === expected) return
  throw new EdgeadmError('package', `${path} has the sha256 ${actual} instead of ${expected}`, {
    fix: 'check where the file and --install-pkg-sha256 come from',
  })
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
