import { checkPair } from '../../kubeedge/versions.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { meshImages } from './mesh-images.ts'
import { notInstalled, requiredEdgeParts, withEdge } from './with-edge.ts'

/** Before anything is changed: has the package what the edge needs, and do its versions go together? */
export const edgePartsCheck: Phase<InitContext> = {
  name: 'edge/checks',
  title: 'Check the edge parts of the package',
  runIf: (ctx) => {
    // Throws if it was asked for and cannot be had.
    meshImages(ctx)
    const reason = withEdge(ctx)
    if (ctx.settings.enableEdge && reason !== true)
      ctx.emit({
        type: 'warning',
        text: `${reason}: the cluster gets no cloud side for edge nodes; --enable-edge=false says that this is meant`,
      })
    return reason
  },
  verify: async () => true,
  run: async (ctx) => {
    if (ctx.settings.edge.runtime === 'superedge')
      throw notInstalled('the SuperEdge runtime', '--edge-runtime=superedge')
    const verdict = checkPair(requiredEdgeParts(ctx).version, ctx.settings.kubernetesVersion)
    if (verdict.state === 'doubtful') ctx.emit({ type: 'warning', text: verdict.reason })
    // CloudCore sends the rights of a Pod's account only to nodes that are connected to the instance that made them.
    if (ctx.settings.ha.mode !== 'none')
      ctx.emit({
        type: 'warning',
        text: 'edge nodes of a cluster with several masters need --metaserver=plain on join: with several CloudCores the secure MetaServer refuses the tokens of Pods',
      })
  },
}
