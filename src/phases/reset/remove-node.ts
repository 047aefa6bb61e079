import type { Host, Output } from '../../host/host.ts'
import { BIN } from '../context.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

const KUBELET_CONF = '/etc/kubernetes/kubelet.conf'

/**
 * With `--remove-node`. A master has credentials for it. A worker has only the kubelet's, and the API server's Node
 * authorizer lets no kubelet delete a Node, not even its own: it is tried, and the refusal told.
 */
export const removeNode: Phase<ResetContext> = {
  name: 'remove-node',
  title: 'Delete the Node object',
  runIf: ({ settings, facts }) => {
    if (!settings.removeNode) return 'only with --remove-node'
    return facts.role === undefined ? 'this machine is not a node' : true
  },
  run: async ({ host, settings, facts, emit, residue }) => {
    const { nodeName } = facts
    const fail = (why: string): void => {
      emit({
        type: 'warning',
        text: `node ${nodeName} is still in the cluster: ${why}; on a master run: kubectl delete node ${nodeName}`,
      })
      residue.push({ what: `Node object ${nodeName}`, why })
    }
    const kubectl = await findKubectl(host)
    if (kubectl === undefined) return fail('kubectl is not on this machine any more')
    const kubeconfigs = [settings.kubeconfig, KUBELET_CONF]
    let why = 'there are no credentials for the cluster on this machine'
    for (const kubeconfig of kubeconfigs) {
      if ((await host.stat(kubeconfig)) === undefined) continue
      const output = await deleteNode(host, kubectl, kubeconfig, nodeName)
      if (output.exitCode === 0) return
      why = reasonOf(output, nodeName)
    }
    fail(why)
  },
}

async function findKubectl(host: Host): Promise<string | undefined> {
  for (const path of [`${BIN}/kubectl`, '/usr/bin/kubectl'])
    if ((await host.stat(path)) !== undefined) return path
  return undefined
}

function deleteNode(host: Host, kubectl: string, kubeconfig: string, name: string): Promise<Output> {
  const args = [
    '--kubeconfig',
    kubeconfig,
    'delete',
    'node',
    name,
    '--ignore-not-found',
    '--request-timeout=10s',
  ]
  return host.run(kubectl, args, {
    title: `delete node ${name} from the cluster`,
    undo: null,
    okExitCodes: [0, 1],
    timeout: 30_000,
  })
}

function reasonOf(output: Output, name: string): string {
  if (output.stderr.includes('(Forbidden)'))
    return `this machine's own credentials (system:node:${name}) may not delete Nodes`
  return output.stderr.split('\n').findLast((line) => line.trim() !== '') ?? 'kubectl gave no reason'
}
