import { table } from '../output/table.ts'
import { bytes } from '../output/text.ts'
import type { PackageManifest } from './manifest.ts'

/** A package's manifest as tables for people. */
export function describeManifest(manifest: PackageManifest): string {
  const { kubernetesVersion, edgeVersion, arch, files, images, components } = manifest
  const programs = files.filter(({ path }) => !path.startsWith('images/'))
  const total = files.reduce((sum, { size }) => sum + size, 0)
  return [
    `Kubernetes ${kubernetesVersion} for linux/${arch}, built by edgeadm v${edgeVersion}, ${bytes(total)} unpacked`,
    '',
    ...table([
      ['COMPONENT', 'VERSION', 'LICENCE', 'SOURCE'],
      ...components.map(({ name, version, licence, source }) => [name, version, licence, shorten(source)]),
    ]),
    '',
    ...additionsTable(manifest),
    ...table([
      ['IMAGE', 'SIZE', 'DIGEST'],
      ...images.map(({ name, size, digest }) => [name, bytes(size), digest]),
    ]),
    '',
    ...table([
      ['FILE', 'SIZE', 'SHA256'],
      ...programs.map(({ path, size, sha256 }) => [path, bytes(size), sha256]),
    ]),
  ].join('\n')
}

/** edgeadm's additions to the source of what was built. */
function additionsTable({ components }: PackageManifest): string[] {
  const rows = components.flatMap(({ name, additions = [] }) =>
    additions.map((addition) => [name, addition.name, addition.sha256.slice(0, 12), addition.what]),
  )
  return rows.length === 0 ? [] : [...table([['COMPONENT', 'ADDITION', 'SHA256', 'WHAT'], ...rows]), '']
}

/** Lists of Debian packages are long; JSON has them in full. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
