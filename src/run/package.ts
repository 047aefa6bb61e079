import type { ConfigFile } from '../config/file.ts'
import type { VersionFacts } from '../config/types.ts'
import type { Reporting } from '../output/events.ts'
import { checkArchitecture, type PackageManifest, readPackageManifest } from '../package/index.ts'

export interface OpenedPackage {
  readonly manifest: PackageManifest | undefined
  readonly versions: VersionFacts
}

/**
 * What the package offers, before anything is decided: only its manifest is read.
 * @throws EdgeadmError class `package`: missing, not a package, for another architecture
 */
export async function openPackage(
  flag: string | undefined,
  file: ConfigFile | undefined,
  reporting: Reporting,
): Promise<OpenedPackage> {
  const path = flag ?? pathInFile(file)
  if (path === undefined)
    return { manifest: undefined, versions: { kubernetesVersions: [], source: 'no package' } }
  const manifest = await readPackageManifest(path, reporting)
  checkArchitecture(manifest, path)
  return { manifest, versions: { kubernetesVersions: [manifest.kubernetesVersion], source: path } }
}

function pathInFile(file: ConfigFile | undefined): string | undefined {
  const value = file?.documents.get('EdgeConfiguration')?.value.package as { path?: unknown } | undefined
  return typeof value?.path === 'string' ? value.path : undefined
}
