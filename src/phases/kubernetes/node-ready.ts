import { KUBECTL } from '../../kubernetes/kubectl.ts'
import { KUBELET_CONF } from '../../kubernetes/paths.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import type { NodeContext } from '../context.ts'
import { diagnose } from '../diagnose/index.ts'
import type { Phase } from '../workflow.ts'

/** Milliseconds. The kubelet needs seconds; a CNI plugin that the user installs (`--cni=none`) is not awaited. */
const LIMIT = 240_000

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export const nodeReady: Phase<NodeContext> = {
  name: 'node-ready',
  title: 'Wait for the node to be Ready',
  runIf: ({ settings }) => {
    if (settings.dryRun) return 'nothing was changed'
    return settings.cni === 'none' ? 'it becomes Ready once a CNI plugin is installed (--cni=none)' : true
  },
  run: async ({ host, settings, signal }) => {
    try {
      await awaitCondition(`node ${settings.node.name} to be Ready`, LIMIT, signal, async () => {
        const output = await host.probe(KUBECTL, [
          ...['--kubeconfig', KUBELET_CONF, 'get', 'node', settings.node.name],
          ...['-o', 'jsonpath={.status.conditions}', '--request-timeout', '5s'],
        ])
        if (output.exitCode !== 0) return output.stderr
        const conditions = JSON.parse(output.stdout || '[]') as Condition[]
        const ready = conditions.find(({ type }) => type === 'Ready')
        return (
          ready?.status === 'True' ||
          `${ready?.reason ?? 'the kubelet has not reported yet'}: ${ready?.message ?? ''}`
        )
      })
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await diagnose(host))],
        fix: 'mend the cause; the node becomes Ready by itself then, and the same command says so',
      })
    }
  },
}
