/** The machine's own programs: from the first of these phases on there is no way back but a restore. */

import { isTransient, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { unlessHopeless } from '../diagnose/hopeless.ts'
import { diagnose } from '../diagnose/index.ts'
import type { Phase } from '../workflow.ts'
import { kubeconfigOf, type UpgradeContext } from './context.ts'
import { changeState } from './state.ts'

/** Milliseconds. */
const LIMIT = 240_000
/** Milliseconds. Each look is a process. */
const INTERVAL = 500

export const pastAbort: Phase<UpgradeContext> = {
  name: 'upgrade/programs',
  title: "Begin with this machine's programs",
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async ({ host }) => {
    await changeState(host, { isPastAbort: true })
  },
}

/** The kubelet's Pods go on running: it finds them again. */
export const restartKubelet: Phase<UpgradeContext> = {
  name: 'kubernetes/kubelet-restart',
  title: 'Restart the kubelet',
  run: async ({ host }) => {
    await host.service('kubelet.service', { active: true, restart: true })
  },
}

interface NodeObject {
  readonly status: {
    readonly nodeInfo: { readonly kubeletVersion: string }
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[]
  }
}

/** Ready says nothing until the new kubelet has said its version: the condition is of the old one before. */
export const awaitKubelet: Phase<UpgradeContext> = {
  name: 'node-ready',
  title: 'Wait for the node to be Ready with its new kubelet',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async (ctx) => {
    const { host, settings, upgrade } = ctx
    const { name } = settings.node
    try {
      await unlessHopeless(ctx, (signal) =>
        awaitCondition(
          `node ${name} to be Ready with ${upgrade.to}`,
          LIMIT,
          signal,
          () => nodeState(ctx),
          INTERVAL,
        ),
      )
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await diagnose(host))],
        fix: 'mend the cause and run the same command again: it goes on here',
      })
    }
  },
}

/** True, or what is missing. */
async function nodeState(ctx: UpgradeContext): Promise<true | string> {
  const options = { kubeconfig: kubeconfigOf(ctx) }
  let node: NodeObject | undefined
  try {
    node = await kubectlGet<NodeObject>(ctx.host, ['node', ctx.settings.node.name], options)
  } catch (error) {
    // The API server of the only master may be away for a moment.
    if (isTransient(error)) return messageOf(error)
    throw error
  }
  const version = node?.status.nodeInfo.kubeletVersion
  if (version !== ctx.upgrade.to) return `its kubelet says ${version ?? 'nothing'}`
  const ready = node?.status.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' || `${ready?.reason}: ${ready?.message}`
}
