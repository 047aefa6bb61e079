import type { Host, Output } from '../../host/host.ts'
import { BIN } from '../context.ts'
import { isOneOfSeveral } from '../load-balancer/quorum.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

const KUBELET_CONF = '/etc/kubernetes/kubelet.conf'

/**
 * With `--remove-node`, and always on a master of several, whose Node the others would take for a master that is down. A
 * master has credentials for it. A worker has only the kubelet's, and the API server's Node
 * authorizer lets no kubelet delete a Node, not even its own: it is tried, and the refusal told.
 */
export const removeNode: Phase<ResetContext> = {
  name: 'remove-node',
  title: 'Delete the Node object',
  runIf: async (ctx) => {
    if (ctx.facts.role === undefined) return 'this machine is not a node'
    if (ctx.settings.removeNode || (await isOneOfSeveral(ctx))) return true
    return 'only with --remove-node'
  },
  run: async ({ host, settings, facts, emit, residue }) => {
    const { nodeName } = facts
    const fail = (why: string): void => {
      const what = `Node object ${nodeName}`
      const told = `${why}; on a master run: kubectl delete node ${nodeName}`
      emit({ type: 'warning', text: `${what} is still in the cluster: ${told}` })
      residue.push({ what, why: told, elsewhere: true })
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
