import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { blobOf } from '../hashing.ts'
import { type ComponentRecord, hexOf, type MakeContext } from '../record.ts'

/** Where a program of a component that is being made belongs. */
export function programPath(folder: string, name: string): string {
  return join(folder, 'files', name)
}

/** The record of a component whose programs are all in their places; makes them executable. */
export async function recordPrograms(context: MakeContext, source: string): Promise<ComponentRecord> {
  const files = []
  for (const name of [...context.programs].sort()) {
    const path = programPath(context.folder, name)
    await chmod(path, 0o755)
    const { digest, size } = await blobOf(path, context.signal)
    files.push({ name, size, sha256: hexOf(digest) })
  }
  return { source, files }
}
