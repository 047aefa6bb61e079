import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import type { NodeContext } from '../context.ts'
import { diagnose } from '../diagnose/index.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

export const DIRECTORY = '/etc/cni/net.d'
export const FILE = `${DIRECTORY}/10-flannel.conflist`

/** flanneld writes it when the node has its Pod network; flannel's CNI plugin reads it. */
const SUBNET_FILE = '/run/flannel/subnet.env'

/** Milliseconds. flanneld starts within seconds of the kubelet. */
const LIMIT = 180_000

/**
 * Tells containerd to ask flannel's plugin for Pod networks, on every node that flannel serves. Not before flanneld has
 * the node's network: Pods that start earlier fail, and the kubelet tries them again only after ever longer pauses.
 */
export const cniConfig: Phase<NodeContext> = {
  name: 'cni/config',
  title: 'Configure the Pod network',
  runIf: ({ settings }) => (settings.cni === 'flannel' ? true : '--cni=none'),
  verify: async ({ host }) => (await host.stat(FILE)) !== undefined,
  run: async ({ host, settings, signal }) => {
    if (!settings.dryRun) await awaitFlannel(host, signal)
    await templateFile(host, FILE, 'kubernetes/flannel/10-flannel.conflist')
  },
}

async function awaitFlannel(host: NodeContext['host'], signal: AbortSignal): Promise<void> {
  try {
    await awaitCondition(
      "flannel to set up this node's Pod network",
      LIMIT,
      signal,
      async () => (await host.stat(SUBNET_FILE)) !== undefined,
    )
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
    throw new EdgeadmError('timeout', error.message, {
      details: await diagnose(host),
      fix: 'look at its Pods with `kubectl -n kube-flannel get pods -o wide`, and run the same command again',
    })
  }
}
