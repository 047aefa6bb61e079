import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import type { EntryVisitor } from './entries.ts'
import { MANIFEST_NAME, SIGNATURE_NAME } from './manifest.ts'
import { progressSteps } from './progress.ts'

/** Reads an unpacked package: manifest first, signature second, then everything else by name. */
export async function readFolder(
  root: string,
  visitor: EntryVisitor,
  { emit, signal }: Reporting,
  task: string,
): Promise<void> {
  const first = [MANIFEST_NAME, SIGNATURE_NAME]
  const paths = await walk(root, '')
  const ordered = [
    ...first.filter((name) => paths.includes(name)),
    ...paths.filter((name) => !first.includes(name)),
  ]
  const progress = progressSteps(emit, task, ordered.length, 'items')
  for (const [index, path] of ordered.entries()) {
    if (visitor.finished()) return
    const info = await lstat(join(root, path))
    const sink = visitor.entry({ path, size: info.size, mode: info.mode & 0o7777 })
    for await (const chunk of createReadStream(join(root, path), { highWaterMark: 512 * 1024, signal }))
      sink.data(chunk)
    sink.end()
    progress(index + 1)
  }
}

async function walk(root: string, folder: string): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) paths.push(...(await walk(root, path)))
    else if (entry.isFile()) paths.push(path)
    else
      throw new EdgeadmError(
        'package',
        `${join(root, path)} is neither a file nor a folder: a package has nothing else`,
      )
  }
  return paths.sort()
}
