import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { readArchive } from '../archive-reader.ts'
import { CheckedPass } from '../checked-pass.ts'
import { type PackageManifest, SIGNATURE_NAME, serializeManifest } from '../manifest.ts'

/** Whether `path` is a whole, unsigned package with exactly this manifest: then there is nothing to write. */
export async function isBuilt(
  path: string,
  manifest: PackageManifest,
  reporting: Reporting,
): Promise<boolean> {
  let signed = false
  const output = (file: { path: string }) => {
    if (file.path === SIGNATURE_NAME) signed = true
    return undefined
  }
  try {
    const head = new CheckedPass({ where: path, manifestOnly: true, output })
    await readArchive(path, head, reporting, 'look at the package that is there')
    if (!serializeManifest(head.complete()).equals(serializeManifest(manifest))) return false
    const whole = new CheckedPass({ where: path, output })
    await readArchive(path, whole, reporting, 'verify the package that is there')
    whole.complete()
    return !signed
  } catch (error) {
    if (error instanceof EdgeadmError && error.class === 'package') return false
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
