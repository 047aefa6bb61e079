import { mkdir, rm } from 'node:fs/promises'
import { EdgeadmError } from '../output/errors.ts'
import { unpackPackage } from '../package/index.ts'
import { BIN, INSTALLED_PACKAGE, type NodeContext, UNPACKED } from './context.ts'
import type { Phase } from './workflow.ts'

/** The folders of the package that a plain node or master needs. */
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
  verify: async ({ host, manifest }) => {
    const installed = await host.readFile(INSTALLED_PACKAGE)
    if (installed === undefined || installed !== `${JSON.stringify(manifest)}\n`) return false
    return (await host.stat(`${BIN}/kubelet`)) !== undefined
  },
  run: async ({ settings, emit, signal }) => {
    const path = settings.package.path
    if (path === undefined) throw new EdgeadmError('package', 'no package was given')
    if (settings.dryRun) return
    await rm(UNPACKED, { recursive: true, force: true })
    // edgeadm's own folder, not a change to put back: it goes with reset, and at once if nothing comes of this run.
    await mkdir(UNPACKED, { recursive: true, mode: 0o700 })
    try {
      await unpackPackage(path, UNPACKED, {
        emit,
        signal,
        select: (file) => WANTED.some((folder) => file.path.startsWith(folder)),
      })
    } catch (error) {
      await rm(UNPACKED, { recursive: true, force: true })
      throw error
    }
  },
}
