import type { PackageManifest } from './manifest.ts'

/** A package's manifest as tables for people. */
export function describeManifest(manifest: PackageManifest): string {
  const { kubernetesVersion, edgeVersion, arch, files, images, components } = manifest
  const programs = files.filter(({ path }) => !path.startsWith('images/'))
  const total = files.reduce((sum, { size }) => sum + size, 0)
  return [
    `Kubernetes ${kubernetesVersion} for linux/${arch}, built by edgeadm v${edgeVersion}, ${mebibytes(total)} unpacked`,
    '',
    ...table([
      ['COMPONENT', 'VERSION', 'LICENCE', 'SOURCE'],
      ...components.map(({ name, version, licence, source }) => [name, version, licence, shorten(source)]),
    ]),
    '',
    ...table([
      ['IMAGE', 'SIZE', 'DIGEST'],
      ...images.map(({ name, size, digest }) => [name, mebibytes(size), digest]),
    ]),
    '',
    ...table([
      ['FILE', 'SIZE', 'SHA256'],
      ...programs.map(({ path, size, sha256 }) => [path, mebibytes(size), sha256]),
    ]),
  ].join('\n')
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

/** Lists of Debian packages are long; JSON has them in full. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  )
}
