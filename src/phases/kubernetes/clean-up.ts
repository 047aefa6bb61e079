import { rm } from 'node:fs/promises'
import { type NodeContext, UNPACKED } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** Once everything is in its place the unpacked package is only a second copy of it. */
export const cleanUp: Phase<NodeContext> = {
  name: 'clean-up',
  title: 'Remove the unpacked package',
  runIf: ({ manifest, settings }) => manifest !== undefined && !settings.dryRun,
  run: async () => {
    await rm(UNPACKED, { recursive: true, force: true })
  },
}
