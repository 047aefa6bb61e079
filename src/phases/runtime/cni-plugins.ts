import type { NodeContext } from '../context.ts'
import { installFromPackage, isInstalled } from '../install.ts'
import type { Phase } from '../workflow.ts'

/** Where every container runtime looks for them by default. */
const DIRECTORY = '/opt/cni/bin'

const placeOf = (name: string): string => `${DIRECTORY}/${name}`

/** The programs that connect Pods to their network; the node's container runtime runs them, whoever installed it. */
export const cniPlugins: Phase<NodeContext> = {
  name: 'cni/plugins',
  title: 'Install the CNI plugins',
  runIf: ({ manifest }) => (manifest === undefined ? 'no package was given' : true),
  inputs: ({ manifest }) => manifest?.files.filter(({ path }) => path.startsWith('cni/')),
  verify: async (ctx) => isInstalled(ctx, 'cni/', placeOf),
  run: async (ctx) => {
    await installFromPackage(ctx, 'cni/', placeOf)
  },
}
