import { setTimeout as delay } from 'node:timers/promises'
import type { Host, Output } from '../../host/host.ts'
import { KUBELET_CONF } from '../../kubernetes/paths.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { BIN } from '../context.ts'
import { forgetMaster } from '../edge/forget-master.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** Milliseconds. */
const ELECTION = 20_000

/**
 * With `--remove-node`, and always on a master of several, whose Node the others would take for a master that is down. A
 * master has credentials for it. A worker has only the kubelet's, and the API server's Node
 * authorizer lets no kubelet delete a Node, not even its own: it is tried, and the refusal told.
 */
export const removeNode: Phase<ResetContext> = {
  name: 'remove-node',
  title: 'Delete the Node object',
  runIf: ({ settings, facts }) => {
    if (facts.role === undefined) return 'this machine is not a node'
    if (facts.role === 'master')
      return facts.otherMasters.length > 0 ? true : 'the cluster ends with its last master'
    return settings.removeNode ? true : 'only with --remove-node'
  },
  run: async ({ host, settings, facts, emit, residue, signal }) => {
    const { nodeName } = facts
    const fail = (why: string): void => {
      const what = `Node object ${nodeName}`
      const told = `${why}; on a master run: edgeadm reset --remove-node ${nodeName}`
      emit({ type: 'warning', text: `${what} is still in the cluster: ${told}` })
      residue.push({ what, why: told, elsewhere: true })
    }
    // KubeEdge's certificate is for CloudCore alone, which deletes no Nodes.
    if (facts.role === 'edge node') return fail("an edge node's own credentials may not delete Nodes")
    const kubectl = await findKubectl(host)
    if (kubectl === undefined) return fail('kubectl is not on this machine any more')
    // A master has no use for its kubelet's: the administrator's are there, and the failure is theirs.
    const kubeconfigs = facts.role === 'master' ? [settings.kubeconfig] : [settings.kubeconfig, KUBELET_CONF]
    const patience = facts.role === 'master' ? ELECTION : 0
    let why = 'there are no credentials for the cluster on this machine'
    for (const kubeconfig of kubeconfigs) {
      if ((await host.stat(kubeconfig)) === undefined) continue
      const output = await deleteNode(host, [kubectl, '--kubeconfig', kubeconfig], nodeName, patience, signal)
      if (output.exitCode === 0 && facts.role === 'master')
        await leaveEdge(host, nodeName, kubeconfig, residue)
      if (output.exitCode === 0) return
      why = reasonOf(output, nodeName)
    }
    fail(why)
  },
}

/** The other masters go on without it. */
async function leaveEdge(
  host: Host,
  name: string,
  kubeconfig: string,
  residue: ResetContext['residue'],
): Promise<void> {
  try {
    await forgetMaster(host, name, { kubeconfig })
  } catch (error) {
    if (!(error instanceof EdgeadmError)) throw error
    residue.push({
      what: `${name} on the record of the masters`,
      why: `${error.message}; on a master run: edgeadm reset --remove-node ${name}`,
      elsewhere: true,
    })
  }
}

async function findKubectl(host: Host): Promise<string | undefined> {
  for (const path of [`${BIN}/kubectl`, '/usr/bin/kubectl'])
    if ((await host.stat(path)) !== undefined) return path
  return undefined
}

/** Again for a while: when a master leaves, etcd has just lost a member, perhaps its leader, and may have to elect another. */
async function deleteNode(
  host: Host,
  [kubectl, ...credentials]: [string, ...string[]],
  name: string,
  /** Milliseconds. */
  patience: number,
  signal: AbortSignal,
): Promise<Output> {
  const end = Date.now() + patience
  for (;;) {
    const output = await host.run(
      kubectl,
      [...credentials, 'delete', 'node', name, '--ignore-not-found', '--request-timeout=10s'],
      { title: `delete node ${name} from the cluster`, undo: null, okExitCodes: [0, 1], timeout: 30_000 },
    )
    const isRefused = /\((Forbidden|Unauthorized)\)/.test(output.stderr)
    if (output.exitCode === 0 || isRefused || Date.now() > end) return output
    await delay(500, undefined, { signal })
  }
}

function reasonOf(output: Output, name: string): string {
  if (output.stderr.includes('(Forbidden)'))
    return `this machine's own credentials (system:node:${name}) may not delete Nodes`
  return output.stderr.split('\n').findLast((line) => line.trim() !== '') ?? 'kubectl gave no reason'
}
