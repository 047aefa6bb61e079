import { type EdgeParts, edgeParts } from '../../kubeedge/parts.ts'
import { checkPair } from '../../kubeedge/versions.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { InitContext, NodeContext } from '../context.ts'

/** The component of packages-manifests/ that makes CloudCore's image. */
export const CLOUDCORE_IMAGE = 'cloudcore-image'

/** The condition of the cloud side's phases. */
export function withEdge({ settings, manifest }: InitContext): true | string {
  if (!settings.cloudSide) return '--enable-edge=false'
  if (settings.edge.runtime !== 'kubeedge') return `--edge-runtime=${settings.edge.runtime}`
  return edgeParts(manifest) === undefined ? 'the package has no edge parts' : true
}

/** @throws EdgeadmError class `package`: the package lacks the edge parts, or they do not go with its Kubernetes */
export function requiredEdgeParts({ manifest, settings }: NodeContext): EdgeParts {
  const parts = edgeParts(manifest)
  if (parts === undefined)
    throw new EdgeadmError(
      'package',
      'the package has no edge parts (KubeEdge), so this machine cannot become an edge node',
      {
        fix: 'use a package with them: `edgeadm package build`; or join as a worker with --enable-edge=false',
      },
    )
  const verdict = checkPair(parts.version, settings.kubernetesVersion)
  if (verdict.state === 'refused')
    throw new EdgeadmError('package', verdict.reason, {
      fix: 'use a package whose versions go together, or --enable-edge=false',
    })
  return parts
}
