import { join } from 'node:path'
import type { Host } from '../host/host.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { PackageFile } from '../package/index.ts'
import { type NodeContext, UNPACKED } from './context.ts'
import { ensureUnpacked } from './package.ts'

/**
 * Puts all files of one folder of the unpacked package in their places. Their contents were verified while unpacking.
 * Resolves with the places of those that were not there in this form.
 */
export async function installFromPackage(
  ctx: NodeContext,
  folder: string,
  place: (name: string) => string | undefined,
): Promise<readonly string[]> {
  await ensureUnpacked(ctx)
  const installed: string[] = []
  for (const { file, target } of placed(ctx, folder, place)) {
    if (await ctx.host.installFile(join(UNPACKED, file.path), target, { mode: file.mode }))
      installed.push(target)
  }
  if (installed.length > 0) await labelBySelinux(ctx.host, installed)
  return installed
}

/**
 * Whether all of them are in their places with the size and sha256 that the manifest names. A power cut can leave a program
 * with no bytes or with zeros, and the shell runs such a file without an error.
 */
export async function isInstalled(
  ctx: NodeContext,
  folder: string,
  place: (name: string) => string | undefined,
): Promise<boolean> {
  const expected = placed(ctx, folder, place)
  for (const { file, target } of expected) if ((await ctx.host.stat(target))?.size !== file.size) return false
  if (expected.length === 0) return true
  const sums = await ctx.host.probe('sha256sum', ['--', ...expected.map(({ target }) => target)])
  return sums.stdout === expected.map(({ file, target }) => `${file.sha256}  ${target}`).join('\n')
}

function placed(
  { manifest }: NodeContext,
  folder: string,
  place: (name: string) => string | undefined,
): { readonly file: PackageFile; readonly target: string }[] {
  return (manifest?.files ?? []).flatMap((file) => {
    const target = file.path.startsWith(folder) ? place(file.path.slice(folder.length)) : undefined
    return target === undefined ? [] : [{ file, target }]
  })
}

/** Programs come with the label of the folder in which they were unpacked; under an enforcing policy a unit could not start them. */
async function labelBySelinux(host: Host, paths: readonly string[]): Promise<void> {
  // There only where SELinux is on, enforcing or not: it may be set to enforce later.
  if ((await host.stat('/sys/fs/selinux/enforce')) === undefined) return
  // Permissive, and nothing to set labels with; node/selinux ends with that if it is enforcing.
  if ((await host.probe('restorecon', ['-h'])).exitCode === 127) return
  const title = `label ${paths.join(', ')} by the SELinux policy`
  await host.run('restorecon', [...paths], { title, undo: null })
}

/** Where a binary of the package is unpacked. @throws EdgeadmError class `package` if the package lacks it */
export function unpackedBinary(ctx: NodeContext, path: string): string {
  if (ctx.manifest?.files.some((file) => file.path === path)) return join(UNPACKED, path)
  throw new EdgeadmError('package', `the package has no ${path}`)
}
