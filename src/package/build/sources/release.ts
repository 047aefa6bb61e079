import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { hashFile } from '../../../host/file-hash.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import { downloadFromAny } from '../../download/any.ts'
import type { Architecture } from '../../manifest.ts'
import { fill, type ReleaseSource, valuesOf } from '../recipe.ts'
import type { ComponentRecord, MakeContext } from '../record.ts'
import { extractMembers } from './extract.ts'
import { programPath, recordPrograms } from './programs.ts'

/** Downloads a project's published programs; each download is verified against a pin or the publisher's checksum file. */
export async function makeFromRelease(source: ReleaseSource, context: MakeContext): Promise<ComponentRecord> {
  const { component, arch, programs, folder } = context
  await mkdir(join(folder, 'files'))
  const values = valuesOf(component, arch)
  if (source.member === undefined) {
    for (const name of programs) {
      const download = await fetchVerified(source, { ...values, name }, context)
      await rename(download, programPath(folder, name))
      await forget(download)
    }
  } else {
    const download = await fetchVerified(source, values, context)
    const members = new Map(
      programs.map((name) => [
        fill(source.members?.[name] ?? source.member ?? name, { ...values, name }),
        name,
      ]),
    )
    const found = await extractMembers(download, members, join(folder, 'files'), context.signal)
    for (const [member, name] of members)
      if (!found.has(name))
        throw new EdgeadmError(
          'package',
          `${component.name}: there is no ${member} in what ${source.url} gave`,
        )
    await forget(download)
  }
  const where = source.url.includes('{name}') ? source.url : fill(source.url, values)
  return recordPrograms(
    context,
    `release:${where.replace('{version}', component.version).replace('{arch}', arch)}`,
  )
}

/** @returns the path of the verified download */
async function fetchVerified(
  source: ReleaseSource,
  values: Readonly<Record<string, string>>,
  context: MakeContext,
): Promise<string> {
  const { component, arch, folder, servers, emit, signal } = context
  const url = fill(source.url, values)
  const what = `${component.name} ${component.version}${values.name === undefined ? '' : ` ${values.name}`}`
  const task = `download ${what}`
  const common = { emit, signal, servers, what }
  const pinned = pinOf(source, arch, values.name)
  const download = join(context.downloads, pinned ?? createHash('sha256').update(url).digest('hex'))
  if (pinned !== undefined) {
    await downloadFromAny(url, download, { ...common, task, sha256: pinned })
    return download
  }
  if (source.checksum === undefined)
    throw new EdgeadmError(
      'usage',
      `the release of ${component.name} has neither a pinned sha256 nor a checksum file`,
    )
  const checksumUrl = fill(source.checksum, values)
  const sums = join(folder, 'checksums')
  await downloadFromAny(checksumUrl, sums, { ...common, task: `${task} (checksum)` })
  const expected = checksumFor(await readFile(sums, 'utf8'), basename(new URL(url).pathname))
  await rm(sums)
  await rm(`${sums}.id`, { force: true })
  if (expected === undefined)
    throw new EdgeadmError('package', `${checksumUrl} has no checksum for ${basename(new URL(url).pathname)}`)
  await downloadFromAny(url, download, { ...common, task })
  const actual = await hashFile(download, expected.length === 128 ? 'sha512' : 'sha256', signal)
  if (actual === expected) return download
  await forget(download)
  throw new EdgeadmError(
    'package',
    `${url} is damaged: its checksum is ${actual}, the publisher says ${expected}`,
    {
      fix: 'run the same command again; if it stays, the server has another file than its publisher',
    },
  )
}

/** The pinned sha256 of what an URL gives: of one program, or of the archive of all. */
export function pinOf(
  { sha256 }: ReleaseSource,
  arch: Architecture,
  program: string | undefined,
): string | undefined {
  return sha256?.[`${arch}/${program}`] ?? sha256?.[arch]
}

/** What is kept of a download beside it goes with it. */
async function forget(download: string): Promise<void> {
  for (const path of [download, `${download}.id`]) await rm(path, { force: true })
}

/**
 * Reads what `sha256sum` or `sha512sum` wrote, or a file that is nothing but the sum.
 * @returns lower-case hex
 */
export function checksumFor(text: string, name: string): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => /^\\?([0-9a-f]{128}|[0-9a-f]{64})(?:\s+\*?(\S.*))?\s*$/i.exec(line))
    .filter((match) => match !== null)
  const named = lines.find((match) => match[2] !== undefined && basename(match[2].trim()) === name)
  const only = lines.length === 1 && lines[0]?.[2] === undefined ? lines[0] : undefined
  return (named ?? only)?.[1]?.toLowerCase()
}
