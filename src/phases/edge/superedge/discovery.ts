import { bootstrapSuperEdge } from '../../../superedge/bootstrap.ts'
import type { JoinContext } from '../../context.ts'
import { discovery } from '../../node/discovery.ts'
import type { Phase } from '../../workflow.ts'
import { EXPERIMENTAL, requireLiteApiserver } from './runtime.ts'

/** As for a worker; and whether package and cluster are made for SuperEdge's edge nodes, before anything is changed. */
export const superEdgeDiscovery: Phase<JoinContext> = {
  ...discovery,
  run: async (ctx) => {
    ctx.emit({ type: 'warning', text: EXPERIMENTAL })
    requireLiteApiserver(ctx)
    await discovery.run(ctx)
    await bootstrapSuperEdge(ctx.settings, ctx.signal)
  },
}
