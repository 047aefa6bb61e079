import { rm } from 'node:fs/promises'
import { DOWNLOADS, INSTALLED_PACKAGE, type NodeContext, UNPACKED } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** Once everything is in its place the unpacked package is only a second copy of it; what it was stays on record. */
export const cleanUp: Phase<NodeContext> = {
  name: 'clean-up',
  title: 'Remove the unpacked package',
  runIf: ({ manifest, settings }) => manifest !== undefined && !settings.dryRun,
  inputs: ({ manifest }) => manifest?.files,
  verify: async ({ host }) => {
    for (const path of [UNPACKED, DOWNLOADS]) if ((await host.stat(path)) !== undefined) return false
    return true
  },
  run: async ({ host, manifest }) => {
    await host.writeFile(INSTALLED_PACKAGE, `${JSON.stringify(manifest)}\n`)
    for (const path of [UNPACKED, DOWNLOADS]) await rm(path, { recursive: true, force: true })
  },
}
