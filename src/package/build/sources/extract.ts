import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { extract } from 'tar'
import { EdgeadmError, messageOf } from '../../../output/errors.ts'

/**
 * Takes single files out of a tar archive of any usual compression.
 * @param members path in the archive -> name in `folder`
 * @returns the names that were found
 */
export async function extractMembers(
  archive: string,
  members: ReadonlyMap<string, string>,
  folder: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  const temporary = join(folder, '.extracting')
  const plain = (path: string) => path.replace(/^(\.\/)+/, '')
  await extractAll(archive, temporary, signal, (path) => members.has(plain(path)))
  const found = new Set<string>()
  for (const [member, name] of members) {
    const info = await stat(join(temporary, member)).catch(() => undefined)
    if (info?.isFile() !== true) continue
    await rename(join(temporary, member), join(folder, name))
    found.add(name)
  }
  await rm(temporary, { recursive: true })
  return found
}

/** Unpacks an archive into a new folder. Whatever leads out of it is refused. */
export async function extractAll(
  archive: string,
  folder: string,
  signal: AbortSignal,
  filter: (path: string) => boolean = () => true,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  try {
    await extract({ file: archive, cwd: folder, strict: true, preserveOwner: false, filter })
  } catch (error) {
    throw new EdgeadmError('package', `${archive} cannot be unpacked: ${messageOf(error)}`)
  }
  signal.throwIfAborted()
}
