import { join } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import { type NodeContext, UNPACKED } from './context.ts'
import { ensureUnpacked } from './package.ts'

/** Puts all files of one folder of the unpacked package in their places. Their contents were verified while unpacking. */
export async function installFromPackage(
  ctx: NodeContext,
  folder: string,
  place: (name: string) => string | undefined,
): Promise<void> {
  await ensureUnpacked(ctx)
  for (const file of ctx.manifest?.files ?? []) {
    if (!file.path.startsWith(folder)) continue
    const target = place(file.path.slice(folder.length))
    if (target !== undefined)
      await ctx.host.installFile(join(UNPACKED, file.path), target, { mode: file.mode })
  }
}

/** Where a binary of the package is unpacked. @throws EdgeadmError class `package` if the package lacks it */
export function unpackedBinary(ctx: NodeContext, path: string): string {
  if (ctx.manifest?.files.some((file) => file.path === path)) return join(UNPACKED, path)
  throw new EdgeadmError('package', `the package has no ${path}`)
}
