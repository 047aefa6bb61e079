/** What is written is only in memory until the kernel brings it to the disk, some 30 s later. These wait for the disk. */

import { open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { EdgeadmError } from '../output/errors.ts'
import { systemEnvironment } from './system-environment.ts'

/** Brings the entries of a directory to the disk: fsync(2) of a file does not cover the name that it got. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * Brings all that was written to the file systems of these paths to the disk, whoever wrote it: syncfs(2), through
 * `sync --file-system`. Of a path that is not there its nearest directory counts.
 * @throws EdgeadmError class `phase` if a disk refuses
 */
export async function syncFileSystems(paths: readonly string[]): Promise<void> {
  const byDevice = new Map<number, string>()
  for (const path of new Set(paths)) {
    const there = await nearest(path)
    byDevice.set(there.device, there.path)
  }
  if (byDevice.size === 0) return
  const options = { env: systemEnvironment(), extendEnv: false, cwd: '/', reject: false } as const
  const { exitCode, stderr } = await execa('sync', ['--file-system', ...byDevice.values()], options)
  if (exitCode === 0) return
  throw new EdgeadmError('phase', `what was changed cannot be brought to the disk: ${stderr}`, {
    fix: 'look at `dmesg` for errors of the disk, and run the same command again',
  })
}

async function nearest(path: string): Promise<{ readonly path: string; readonly device: number }> {
  try {
    return { path, device: (await stat(path)).dev }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if ((code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') || path === '/') throw error
    return nearest(dirname(path))
  }
}
