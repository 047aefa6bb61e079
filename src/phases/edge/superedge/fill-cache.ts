import { join } from 'node:path'
import type { Host } from '../../../host/host.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import { bootstrapSuperEdge } from '../../../superedge/bootstrap.ts'
import { hasFlannelNetwork, missingInCache, nodeFile } from '../../../superedge/cache.ts'
import { LITE } from '../../../superedge/paths.ts'
import { awaitCondition } from '../../await.ts'
import type { JoinContext } from '../../context.ts'
import { diagnose } from '../../diagnose/index.ts'
import { ctrPath } from '../../runtime/images.ts'
import type { Phase } from '../../workflow.ts'

/** Milliseconds. */
const LIMIT = 180_000
const KUBELET = 'kubelet.service'
const NAMESPACE = ['--namespace', 'k8s.io']
/** The kubelet's label for the name that a container has in its Pod. */
const FLANNEL = 'labels."io.kubernetes.container.name"==kube-flannel'

/**
 * lite-apiserver keeps what was read through it. The kubelet and flannel make objects of their own when they first start,
 * and read them only when they start again: each starts afresh once now, or a later restart, cut off, would not succeed.
 */
export const fillCache: Phase<JoinContext> = {
  name: 'edge/fill-cache',
  title: 'Restart kubelet and flannel, and wait until the cache holds what this node needs',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  verify: async ({ host, settings }) =>
    missingInCache(await host.list(LITE.cache), { node: settings.node.name, kubeProxy: false }).length === 0,
  run: async (ctx) => {
    const { host, settings, signal } = ctx
    const node = settings.node.name
    const { facts } = await bootstrapSuperEdge(settings, signal)
    await host.service(KUBELET, { active: true, restart: true })
    await explained(ctx, async () => {
      const left = missingInCache(await host.list(LITE.cache), { node, kubeProxy: facts.kubeProxy })
      return left.length === 0 || `not read through it yet: ${left.join(', ')}`
    })
    if (!facts.flannel) return
    await endFlannel(host)
    await explained(ctx, async () => (await knowsFlannel(host, node)) || 'flannel has not read its node yet')
  },
}

async function explained(
  { host, signal }: JoinContext,
  condition: () => Promise<true | string>,
): Promise<void> {
  try {
    await awaitCondition("lite-apiserver's cache", LIMIT, signal, condition)
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
    throw new EdgeadmError('timeout', error.message, {
      details: [...error.details, ...(await diagnose(host))],
      fix: 'mend the cause and run the same command again',
    })
  }
}

/** The kubelet starts it again at once. A node's own rights do not reach as far as the Pod. */
async function endFlannel(host: Host): Promise<void> {
  const ctr = await ctrPath(host)
  const containers = await host.probe(ctr, [...NAMESPACE, 'containers', 'list', '--quiet', FLANNEL])
  for (const id of containers.stdout.split('\n').filter((line) => line !== ''))
    await host.run(ctr, [...NAMESPACE, 'tasks', 'kill', '--signal', 'SIGTERM', id], {
      title: `end flannel's container ${id.slice(0, 12)}`,
      undo: null,
      // 1: of this container nothing runs any more.
      okExitCodes: [0, 1],
    })
}

async function knowsFlannel(host: Host, node: string): Promise<boolean> {
  const name = (await host.list(LITE.cache)).find((file) => nodeFile('flanneld', node).test(file))
  const text = name === undefined ? undefined : await host.readFile(join(LITE.cache, name))
  return text !== undefined && hasFlannelNetwork(text)
}
