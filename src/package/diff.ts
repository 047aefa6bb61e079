/** What is different in two packages, by their manifests. */

import { table } from '../output/table.ts'
import { bytes } from '../output/text.ts'
import type { PackageManifest } from './manifest.ts'

export interface PackageDiff {
  /** Of components and images: name -> versions or digests; undefined: there is none. */
  readonly components: readonly Change[]
  readonly images: readonly Change[]
  readonly files: readonly Change[]
  /** Bytes of files of the new package that the old one does not have anywhere; and of all its files. */
  readonly changedSize: number
  readonly size: number
}

export interface Change {
  readonly name: string
  readonly old: string | undefined
  readonly new: string | undefined
}

export function diffPackages(old: PackageManifest, now: PackageManifest): PackageDiff {
  const changed = missingFrom(old, now)
  const sum = (files: PackageManifest['files']) => files.reduce((total, { size }) => total + size, 0)
  const programs = ({ files }: PackageManifest) => files.filter(({ path }) => !path.startsWith('images/'))
  return {
    components: changes(
      old.components,
      now.components,
      ({ name }) => name,
      ({ version, source }) => `${version} (${source})`,
    ),
    images: changes(
      old.images,
      now.images,
      ({ name }) => name,
      ({ digest }) => digest,
    ),
    files: changes(
      programs(old),
      programs(now),
      ({ path }) => path,
      ({ sha256, mode }) => `${sha256} ${mode.toString(8)}`,
    ),
    changedSize: sum(changed),
    size: sum(now.files),
  }
}

/** Files of the new package whose contents are nowhere in the old one. */
export function missingFrom(old: PackageManifest, now: PackageManifest): PackageManifest['files'] {
  const had = new Set(old.files.map(({ sha256 }) => sha256))
  return now.files.filter(({ sha256 }) => !had.has(sha256))
}

/** For people; an empty difference is said. */
export function describeDiff({ components, images, files, changedSize, size }: PackageDiff): string {
  const rows = (what: string, all: readonly Change[]) =>
    all.map((change) => [mark(change), what, change.name, short(change.old), short(change.new)])
  const lines = [...rows('component', components), ...rows('image', images), ...rows('file', files)]
  const total = `${bytes(changedSize)} of ${bytes(size)} are new (${size === 0 ? 0 : Math.round((100 * changedSize) / size)}%)`
  if (lines.length === 0) return `The packages hold the same.\n${total}`
  return [...table([['', 'WHAT', 'NAME', 'OLD', 'NEW'], ...lines]), total].join('\n')
}

function mark({ old, new: now }: Change): string {
  return old === undefined ? '+' : now === undefined ? '-' : '~'
}

/** Sums are long, and their beginning tells them apart. */
function short(text: string | undefined): string {
  if (text === undefined) return ''
  return /^(sha256:)?[0-9a-f]{64}/.test(text)
    ? text.replace('sha256:', '').slice(0, 12)
    : text.replace(/ \(.*/, '')
}

function changes<T>(
  old: readonly T[],
  now: readonly T[],
  nameOf: (each: T) => string,
  contentOf: (each: T) => string,
): Change[] {
  const before = new Map(old.map((each) => [nameOf(each), contentOf(each)]))
  const after = new Map(now.map((each) => [nameOf(each), contentOf(each)]))
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((name) => ({ name, old: before.get(name), new: after.get(name) }))
    .filter((change) => change.old !== change.new)
}
