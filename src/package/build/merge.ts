/** A whole package of an update and the package that it was built for: the same bytes as if it had been built whole. */

import { existsSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { missingFrom } from '../diff.ts'
import { MANIFEST_NAME, type PackageManifest, SIGNATURE_NAME } from '../manifest.ts'
import type { TarItem } from '../tar-writer.ts'
import { readPackageManifest, unpackPackage } from '../unpack.ts'
import { writePackage } from './assemble.ts'

export interface MergeOptions extends Reporting {
  readonly base: string
  readonly update: string
  /** Where the whole package is put. */
  readonly path: string
  /** A public key or a folder of such: the update has to be signed. */
  readonly publicKey?: string
}

/** @throws EdgeadmError class `package`: one of them is damaged, or the update is for another package */
export async function mergePackages(options: MergeOptions): Promise<PackageManifest> {
  const { base, update, path, emit, signal } = options
  const reporting = { emit, signal }
  const keys = options.publicKey === undefined ? {} : { publicKey: options.publicKey }
  const old = await readPackageManifest(base, reporting)
  const now = await readPackageManifest(update, { ...reporting, ...keys })
  const inUpdate = new Set(missingFrom(old, now).map(({ sha256 }) => sha256))
  const wanted = new Set(now.files.map(({ sha256 }) => sha256).filter((sum) => !inUpdate.has(sum)))
  await mkdir(dirname(path), { recursive: true })
  const staging = await mkdtemp(join(dirname(path), `.${basename(path)}-`))
  try {
    const [oldFolder, newFolder] = [join(staging, 'old'), join(staging, 'new')]
    for (const folder of [oldFolder, newFolder]) await mkdir(folder)
    let missing: PackageManifest['files'] = []
    await unpackPackage(update, newFolder, {
      ...reporting,
      ...keys,
      expected: now,
      onMissing: (files) => {
        missing = files
      },
    })
    const signed = existsSync(join(newFolder, SIGNATURE_NAME))
    const lost = missing.filter((file) => !wanted.has(file.sha256))
    if (lost[0] !== undefined)
      throw new EdgeadmError(
        'package',
        `${update} is an update of another package than ${base}: neither has ${lost[0].path}`,
        { fix: 'take the package that was named with --base when the update was built' },
      )
    await unpackPackage(base, oldFolder, {
      ...reporting,
      expected: old,
      select: ({ sha256 }) => wanted.has(sha256),
    })
    const at = new Map(old.files.map((file) => [file.sha256, join(oldFolder, file.path)]))
    const absent = new Set(missing.map((file) => file.path))
    const items: TarItem[] = [MANIFEST_NAME, ...(signed ? [SIGNATURE_NAME] : [])].map((name) => ({
      path: name,
      type: 'File',
      mode: 0o644,
      size: statSync(join(newFolder, name)).size,
      content: join(newFolder, name),
    }))
    for (const file of now.files)
      items.push({
        path: file.path,
        type: 'File',
        mode: file.mode,
        size: file.size,
        content: absent.has(file.path) ? (at.get(file.sha256) as string) : join(newFolder, file.path),
      })
    await writePackage(items, { path, emit, signal })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
  return now
}
