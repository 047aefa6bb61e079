import type { Host } from '../../../host/host.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import { bootstrapSuperEdge } from '../../../superedge/bootstrap.ts'
import { missingInCache } from '../../../superedge/cache.ts'
import { LITE } from '../../../superedge/paths.ts'
import { awaitCondition } from '../../await.ts'
import type { JoinContext } from '../../context.ts'
import { diagnose } from '../../diagnose/index.ts'
import type { Phase } from '../../workflow.ts'

/** Milliseconds. */
const LIMIT = 180_000
const KUBELET = 'kubelet.service'

/**
 * lite-apiserver keeps what was read through it. The kubelet makes its CSINode object when it first starts, and reads it
 * only when it starts again: without this restart a later one, cut off, would end in a loop.
 */
export const fillCache: Phase<JoinContext> = {
  name: 'edge/fill-cache',
  title: 'Restart the kubelet, and wait until the cache holds what this node needs',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  verify: async ({ host, settings }) => (await missing(host, settings.node.name, false)).length === 0,
  run: async ({ host, settings, signal }) => {
    const { facts } = await bootstrapSuperEdge(settings, signal)
    await host.service(KUBELET, { active: true, restart: true })
    try {
      await awaitCondition("lite-apiserver's cache", LIMIT, signal, async () => {
        const left = await missing(host, settings.node.name, facts.kubeProxy)
        return left.length === 0 || `not read through it yet: ${left.join(', ')}`
      })
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await diagnose(host))],
        fix: 'mend the cause and run the same command again',
      })
    }
  },
}

async function missing(host: Host, node: string, kubeProxy: boolean): Promise<string[]> {
  return missingInCache(await host.list(LITE.cache), { node, kubeProxy })
}
