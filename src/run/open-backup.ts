import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { type Opened, openArchive } from '../phases/backup/archive.ts'
import { warnIfOthersWrite } from '../phases/backup/trust.ts'

/** Where backups are unpacked, by processes. Not /tmp, which may be memory: a store may have gigabytes. */
const UNPACKED = '/var/tmp'
const UNPACKED_NAME = /^edgeadm-backup-(\d+)-\w+$/

/** Keys of a cluster that a run left which was killed. Others may write here: only what is root's own is ours. */
async function removeLeftovers(): Promise<void> {
  for (const name of await fs.readdir(UNPACKED)) {
    const pid = UNPACKED_NAME.exec(name)?.[1]
    if (pid === undefined || (await isThere(`/proc/${pid}`))) continue
    const path = join(UNPACKED, name)
    const { uid, mode } = await fs.lstat(path)
    if (uid === 0 && (mode & 0o777) === 0o700) await fs.rm(path, { recursive: true, force: true })
  }
}

/** Unpacked where only root may enter, and gone afterwards. */
export async function withBackup<T>(
  file: string,
  identityFile: string | undefined,
  emit: Reporting['emit'],
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const identity =
    identityFile === undefined
      ? undefined
      : await fs.readFile(identityFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
          throw new EdgeadmError('usage', `--age-identity ${identityFile} cannot be read: ${error.code}`)
        })
  await fs.mkdir(UNPACKED, { recursive: true })
  await removeLeftovers()
  await warnIfOthersWrite(file, emit)
  const directory = await fs.mkdtemp(join(UNPACKED, `edgeadm-backup-${process.pid}-`))
  try {
    return await use(await openArchive(file, directory, identity))
  } finally {
    await fs.rm(directory, { recursive: true, force: true })
  }
}

async function isThere(path: string): Promise<boolean> {
  return fs.access(path).then(
    () => true,
    () => false,
  )
}
