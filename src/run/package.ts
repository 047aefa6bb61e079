import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { ConfigFile } from '../config/file.ts'
import type { VersionFacts } from '../config/types.ts'
import { parseVersion } from '../config/versions.ts'
import { hashFile } from '../host/file-hash.ts'
import { LocalMachine } from '../host/local.ts'
import { KUBEADM } from '../kubernetes/kubectl.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import {
  attachedNetworks,
  cacheDirectory,
  checkArchitecture,
  fetchPackage,
  machineKeyring,
  onlineVersion,
  type PackageManifest,
  ProxyChoice,
  readPackageManifest,
  shownProxy,
} from '../package/index.ts'
import { DOWNLOADS } from '../phases/context.ts'
import { refuseOlder } from './newest-package.ts'
import { ONLINE_RECIPE, wantsOnline } from './online.ts'

export interface OpenedPackage {
  /** Where it lies on this machine; undefined: none was named. */
  readonly path: string | undefined
  readonly manifest: PackageManifest | undefined
  /** The key or the folder of keys that it was verified with: named, or this machine's keyring. */
  readonly publicKey?: string
  readonly versions: VersionFacts
  /** Whether what is needed has to be downloaded: see `online.ts`. */
  readonly online: boolean
}

/** As the flags have it; the file's EdgeConfiguration says what they leave open. */
export interface PackageFlags {
  readonly 'install-pkg-path'?: string | undefined
  readonly 'install-pkg-sha256'?: string | undefined
  readonly 'install-pkg-public-key'?: string | undefined
  readonly 'dry-run'?: boolean | undefined
  readonly offline?: boolean | undefined
  readonly 'allow-downgrade'?: boolean | undefined
  readonly recipe?: readonly string[] | undefined
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
  only?: string,
): Promise<OpenedPackage> {
  const inFile = file?.documents.get('EdgeConfiguration')?.value.package as
    | Record<string, unknown>
    | undefined
  const named = flags['install-pkg-path'] ?? textOf(inFile?.path)
  const sha256 = (flags['install-pkg-sha256'] ?? textOf(inFile?.sha256))?.toLowerCase()
  const publicKey =
    flags['install-pkg-public-key'] ??
    textOf(inFile?.publicKey) ??
    (named === undefined ? undefined : machineKeyring())
  const allowDowngrade = flags['allow-downgrade'] ?? inFile?.allowDowngrade === true
  if (named === undefined) {
    const flagsOfRun = {
      offline: flags.offline ?? inFile?.offline === true,
      recipes: flags.recipe ?? (inFile?.recipes as readonly string[] | undefined) ?? [ONLINE_RECIPE],
      only,
    }
    // A key stays, so that it is refused: there is no signature that it could check.
    return {
      ...(await withoutPackage(flagsOfRun, reporting)),
      ...(publicKey === undefined ? {} : { publicKey }),
    }
  }
  if (/^http:/.test(named) && sha256 === undefined && publicKey === undefined)
    reporting.emit({
      type: 'warning',
      text: `${named} comes without encryption, and nothing says what it should be: whoever is on the way can change it. Give --install-pkg-sha256 or --install-pkg-public-key, or use https`,
    })
  const path = /^https?:\/\//.test(named)
    ? await download(named, sha256, reporting, flags['dry-run'] === true)
    : named
  if (path === named && sha256 !== undefined) await checkSum(path, sha256)
  const manifest = await readPackageManifest(path, {
    ...reporting,
    ...(publicKey === undefined ? {} : { publicKey }),
  })
  checkArchitecture(manifest, path)
  if (publicKey !== undefined && !allowDowngrade) refuseOlder(manifest, named, publicKey)
  return {
    path,
    manifest,
    versions: { kubernetesVersions: [manifest.kubernetesVersion], source: path },
    online: false,
    ...(publicKey === undefined ? {} : { publicKey }),
  }
}

async function withoutPackage(
  { offline, recipes, only }: { offline: boolean; recipes: readonly string[]; only: string | undefined },
  reporting: Reporting,
): Promise<OpenedPackage> {
  const none = { path: undefined, manifest: undefined }
  const installed = await installedVersion(reporting)
  if (offline || !(await wantsOnline(installed.kubernetesVersions.length > 0, only)))
    return { ...none, versions: installed, online: false }
  const versions = {
    kubernetesVersions: [await onlineVersion(recipes)],
    source: 'edgeadm, which downloads it where no package is given',
  }
  return { ...none, versions, online: true }
}

/** Without a package the kubeadm that is installed here is the one that runs. */
async function installedVersion({ signal }: Reporting): Promise<VersionFacts> {
  const { exitCode, stdout } = await new LocalMachine(signal).execute(KUBEADM, ['version', '-o', 'short'])
  return exitCode === 0 && parseVersion(stdout.trim()) !== undefined
    ? { kubernetesVersions: [stdout.trim()], source: 'the kubeadm on this machine' }
    : { kubernetesVersions: [], source: 'no package' }
}

async function download(
  url: string,
  sha256: string | undefined,
  reporting: Reporting,
  dryRun: boolean,
): Promise<string> {
  const directory = dryRun
    ? temporaryDirectory()
    : process.getuid?.() === 0
      ? DOWNLOADS
      : join(cacheDirectory(), 'downloads')
  const path = join(directory, basename(new URL(url).pathname) || 'package')
  const task = 'download the package'
  const proxies = new ProxyChoice({ environment: process.env, direct: attachedNetworks() })
  const [agents, proxy] = [await proxies.agents(url), proxies.for(url)]
  await fetchPackage(url, path, {
    ...reporting,
    task,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(agents === undefined || proxy === undefined ? {} : { agents, proxy: shownProxy(proxy) }),
  })
  return path
}

/** For a dry run, which leaves nothing: it goes when the process ends, however it ends, short of kill -9. */
function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'edgeadm-dry-run-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function checkSum(path: string, expected: string): Promise<void> {
  const actual = await hashFile(path).catch((cause: unknown) => {
    throw new EdgeadmError('package', `${path} cannot be read, so its sha256 cannot be checked`, { cause })
  })
  if (actual === expected) return
  throw new EdgeadmError('package', `${path} has the sha256 ${actual} instead of ${expected}`, {
    fix: 'check where the file and --install-pkg-sha256 come from',
  })
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
