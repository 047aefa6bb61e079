import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EdgeadmError } from '../../../output/errors.ts'
import { fetchPackage } from '../../fetch.ts'
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
    await rm(download)
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
  const { component, arch, folder, mirror, emit, signal } = context
  const url = mirrored(fill(source.url, values), mirror)
  const download = join(folder, 'download')
  const task = `download ${component.name} ${component.version}${values.name === undefined ? '' : ` ${values.name}`}`
  const pinned = source.sha256?.[`${arch}/${values.name}`] ?? source.sha256?.[arch]
  if (pinned !== undefined) {
    await fetchPackage(url, download, { emit, signal, task, sha256: pinned })
    return download
  }
  if (source.checksum === undefined)
    throw new EdgeadmError(
      'usage',
      `the release of ${component.name} has neither a pinned sha256 nor a checksum file`,
    )
  const checksumUrl = mirrored(fill(source.checksum, values), mirror)
  const sums = join(folder, 'checksums')
  await fetchPackage(checksumUrl, sums, { emit, signal, task: `${task} (checksum)` })
  const expected = checksumFor(await readFile(sums, 'utf8'), basename(new URL(url).pathname))
  await rm(sums)
  if (expected === undefined)
    throw new EdgeadmError('package', `${checksumUrl} has no checksum for ${basename(new URL(url).pathname)}`)
  await fetchPackage(url, download, { emit, signal, task })
  const hash = createHash(expected.length === 128 ? 'sha512' : 'sha256')
  await pipeline(createReadStream(download, { highWaterMark: 1 << 20 }), hash, { signal })
  const actual = hash.digest('hex')
  if (actual === expected) return download
  await rm(download)
  throw new EdgeadmError(
    'package',
    `${url} is damaged: its checksum is ${actual}, the publisher says ${expected}`,
    {
      fix: 'run the same command again; if it stays, the server has another file than its publisher',
    },
  )
}

/** The same path on another server, below its base. */
export function mirrored(url: string, mirror: string | undefined): string {
  if (mirror === undefined) return url
  const { pathname, search } = new URL(url)
  return `${mirror.replace(/\/$/, '')}${pathname}${search}`
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
