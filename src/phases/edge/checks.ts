import { checkPair } from '../../kubeedge/versions.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { meshImages } from './mesh/images.ts'
import { requiredEdgeParts, withEdge } from './with-edge.ts'

/** Before anything is changed: has the package what the edge needs, and do its versions go together? */
export const edgePartsCheck: Phase<InitContext> = {
  name: 'edge/checks',
  title: 'Check the edge parts of the package',
  runIf: (ctx) => {
    // Throws if it was asked for and cannot be had.
    meshImages(ctx)
    const reason = withEdge(ctx)
    if (ctx.settings.enableEdge && ctx.settings.edge.runtime === 'kubeedge' && reason !== true)
      ctx.emit({
        type: 'warning',
        text: `${reason}: the cluster gets no cloud side for edge nodes; --enable-edge=false says that this is meant`,
      })
    return reason
  },
  verify: async () => true,
  run: async (ctx) => {
    const verdict = checkPair(requiredEdgeParts(ctx).version, ctx.settings.kubernetesVersion)
    if (verdict.state === 'doubtful') ctx.emit({ type: 'warning', text: verdict.reason })
  },
}
