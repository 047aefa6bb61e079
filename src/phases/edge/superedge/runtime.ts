import { EdgeadmError } from '../../../output/errors.ts'
import type { InitContext, NodeContext } from '../../context.ts'

/** Why it is experimental: neither can be configured away. */
export const EXPERIMENTAL =
  '--edge-runtime=superedge is experimental: while the node is cut off, lite-apiserver answers without asking for credentials (edgeadm lets root alone reach its port), and gives Pods tokens signed with a key that is public in its source'

export function isSuperEdgeCluster({ settings }: InitContext): true | string {
  if (!settings.cloudSide) return '--enable-edge=false'
  return settings.edge.runtime === 'superedge' ? true : `--edge-runtime=${settings.edge.runtime}`
}

/** @throws EdgeadmError class `package` if the package has no lite-apiserver */
export function requireLiteApiserver({ manifest }: NodeContext): void {
  if (manifest?.files.some(({ path }) => path === 'bin/lite-apiserver') === true) return
  throw new EdgeadmError(
    'package',
    'the package has no lite-apiserver, which --edge-runtime=superedge needs',
    {
      fix: 'use a package with it: `edgeadm package build --with superedge`; or leave out --edge-runtime',
    },
  )
}
