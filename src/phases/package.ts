import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootId } from '../host/boot.ts'
import { EdgeadmError } from '../output/errors.ts'
import {
  filesOfRole,
  MANIFEST_NAME,
  type PackageFile,
  serializeManifest,
  type UnpackOptions,
  unpackPackage,
} from '../package/index.ts'
import { BIN, INSTALLED_PACKAGE, isEdge, type NodeContext, packageRole, UNPACKED } from './context.ts'
import type { Phase } from './workflow.ts'

/** In the unpacked package: during which boot it was unpacked, and for which role. */
const UNPACKED_FOR = '.unpacked-for'

/** The folders of the package that a machine needs; of their files those of its role. */
const WANTED = ['bin/', 'cni/', 'container/', 'images/']

/**
 * Unpacks the package below /var/lib/edgeadm and verifies each file on the way. Nothing reaches its place before all of
 * it was found right, so a damaged package leaves the machine as it was.
 */
export const unpack: Phase<NodeContext> = {
  name: 'package',
  title: 'Unpack and verify the package',
  preliminary: true,
  runIf: ({ settings }) => (settings.package.path === undefined ? 'no package was given' : true),
  inputs: ({ manifest }) => manifest?.files.map(({ path, sha256 }) => [path, sha256]),
  // After a finished run everything of it is in its place; an unfinished one unpacks again, in a few seconds.
  verify: async ({ host, manifest, settings }) => {
    const installed = await host.readFile(INSTALLED_PACKAGE)
    if (installed === undefined || installed !== `${JSON.stringify(manifest)}\n`) return false
    return (await host.stat(`${BIN}/${isEdge(settings) ? 'edgecore' : 'kubelet'}`)) !== undefined
  },
  run: async (ctx) => {
    if (ctx.settings.package.path === undefined) throw new EdgeadmError('package', 'no package was given')
    if (ctx.settings.dryRun) return
    await ensureUnpacked(ctx)
  },
}

let unpacking: Promise<unknown> | undefined

/**
 * To be called by whoever takes something from {@link UNPACKED}. On a finished node the package is not unpacked any more,
 * and a phase may want to run again: an image was removed, an edge part is added.
 */
export async function ensureUnpacked(ctx: NodeContext): Promise<void> {
  const { settings, manifest, emit, signal } = ctx
  const { path, publicKey } = settings.package
  if (settings.dryRun || path === undefined) return
  if (unpacking === undefined && (await isUnpacked(ctx))) return
  const options = {
    emit,
    signal,
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(manifest === undefined ? {} : { expected: manifest }),
  }
  // Phases that run beside each other wait for the same one.
  unpacking ??= unpackInto(path, ctx, options).finally(() => {
    unpacking = undefined
  })
  await unpacking
}

/** Which files of the package come to the disk of this machine. */
export function isUnpackedFile({ manifest, settings }: Pick<NodeContext, 'manifest' | 'settings'>) {
  const needed = manifest === undefined ? () => true : filesOfRole(manifest, packageRole(settings))
  return (file: PackageFile): boolean => WANTED.some((folder) => file.path.startsWith(folder)) && needed(file)
}

const unpackedFor = async ({ settings }: NodeContext): Promise<string> =>
  `${packageRole(settings)} ${await bootId()}`

/**
 * Whole, for this role, of this very package (an interrupted run may have had another one, perhaps unsigned), and not from before
 * a power cut, which may have taken what the kernel had not written yet.
 */
async function isUnpacked(ctx: NodeContext): Promise<boolean> {
  const { host, manifest } = ctx
  if ((await host.readFile(join(UNPACKED, UNPACKED_FOR))) !== (await unpackedFor(ctx))) return false
  if (manifest === undefined) return false
  return (await host.readFile(join(UNPACKED, MANIFEST_NAME))) === serializeManifest(manifest).toString()
}

/** Beside its place at first: what is in its place is whole. */
async function unpackInto(path: string, ctx: NodeContext, options: UnpackOptions): Promise<void> {
  await rm(UNPACKED, { recursive: true, force: true })
  const staging = `${UNPACKED}.part`
  await rm(staging, { recursive: true, force: true })
  // edgeadm's own folder, not a change to put back: it goes with reset, and at once if nothing comes of this run.
  await mkdir(staging, { recursive: true, mode: 0o700 })
  try {
    await unpackPackage(path, staging, { ...options, select: isUnpackedFile(ctx) })
    await writeFile(join(staging, UNPACKED_FOR), await unpackedFor(ctx))
    await rename(staging, UNPACKED)
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    throw error
  }
}
