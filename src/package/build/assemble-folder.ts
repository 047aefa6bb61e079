import { chmod, link, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MANIFEST_NAME, type PackageManifest, serializeManifest } from '../manifest.ts'
import { asWriteError } from '../write-error.ts'
import { describePackage, type Parts } from './assemble.ts'
import { digestOf } from './oci.ts'
import { hexOf } from './record.ts'

/** Folders of packages that were put together begin so. */
const PREFIX = 'package-'

/**
 * Puts an unpacked package together of links to what is in the cache, so that it takes no room of its own. Whoever unpacks
 * it verifies each file, as with any package. Folders of earlier ones are removed: hold the cache's lock.
 * @param cache the folder that the components are in, or one on the same file system
 */
export async function assembleFolder(
  cache: string,
  options: Parts,
): Promise<{ path: string; manifest: PackageManifest }> {
  const { contents, manifest } = await describePackage(options)
  const bytes = serializeManifest(manifest)
  const name = `${PREFIX}${hexOf(digestOf(bytes)).slice(0, 16)}`
  const path = join(cache, name)
  const making = join(cache, `.making-${name}`)
  try {
    for (const old of await readdir(cache))
      if (old.startsWith(PREFIX) || old.startsWith(`.making-${PREFIX}`))
        await rm(join(cache, old), { recursive: true, force: true })
    for (const { file, content } of contents) {
      const target = join(making, file.path)
      await mkdir(dirname(target), { recursive: true })
      if (typeof content === 'string') await link(content, target)
      else await writeFile(target, content)
      // The umask of whoever started this must not decide.
      await chmod(target, file.mode)
    }
    await writeFile(join(making, MANIFEST_NAME), bytes)
    await rename(making, path)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw asWriteError(error, `the downloads cannot be put together in ${cache}`, cache)
  }
  return { path, manifest }
}
