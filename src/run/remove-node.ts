/** `edgeadm reset --remove-node NODE` on a master: another machine's node leaves the cluster; this machine stays as it is. */

import { hostname } from 'node:os'
import type { ResetFlags } from '../config/flags.ts'
import { subdomainProblem } from '../config/names.ts'
import { dryRunHosts } from '../host/dry-run.ts'
import type { Host } from '../host/host.ts'
import { LocalMachine } from '../host/local.ts'
import { unrecordedHost } from '../host/unrecorded.ts'
import { refuseCertificates } from '../kubeedge/removed-nodes.ts'
import { findLostMember } from '../kubernetes/forget-member.ts'
import { forgetNode } from '../kubernetes/forget-node.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { readMasters } from '../kubernetes/masters.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { ADMIN_CONF } from '../phases/context.ts'
import { addressesOf, forgetMaster } from '../phases/edge/forget-master.ts'
import { VERSION } from '../version.ts'
import { requireLinuxRoot } from './prerequisites.ts'

const PHASE = 'remove-node'

export interface NodeRemoval {
  readonly node: string
  readonly flags: ResetFlags
  readonly reporting: Reporting
  /** Undefined where there is no terminal to ask on. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
}

interface Node {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** @throws EdgeadmError class `usage` or `preflight`: nothing was changed; `phase`: run it again */
export async function removeNodeFromCluster(removal: NodeRemoval): Promise<void> {
  const { node, flags, reporting } = removal
  const dryRun = flags['dry-run'] === true
  requireLinuxRoot('reset --remove-node', dryRun)
  const problem = subdomainProblem(node)
  if (problem !== undefined) throw new EdgeadmError('usage', `--remove-node ${node}: ${problem}`)
  const host = hostFor(dryRun, reporting)
  const kubeconfig = flags.kubeconfig ?? ADMIN_CONF
  if ((await host.stat(kubeconfig)) === undefined)
    throw new EdgeadmError('preflight', `there is no ${kubeconfig} on this machine`, {
      fix: 'run it on a master, or name credentials with --kubeconfig',
    })
  const found = await kubectlGet<Node>(host, ['node', node], { kubeconfig })
  // Known by its name, or by its address as a member of etcd is that never started.
  const onRecord = (await readMasters(host, { kubeconfig })).find(
    (master) => master.node === node || master.address === node,
  )
  await check(removal, found)
  const known = found === undefined ? [] : await addressesOf(host, node, { kubeconfig })
  const member = await findLostMember(host, node, known)
  // A master whose Node somebody deleted is known by its record and by its member of etcd.
  const isLostMaster =
    member !== undefined || onRecord !== undefined || (found !== undefined && isMaster(found))
  const run = { command: 'reset --remove-node', version: VERSION, node: hostname(), dryRun, phases: [PHASE] }
  reporting.emit({ type: 'run', ...run })
  if (member !== undefined) {
    // First: as long as etcd counts it, one more loss could stop the cluster.
    reporting.emit({ type: 'change', phase: PHASE, action: 'run', target: `take ${node} out of etcd` })
    if (!dryRun) await member.remove(reporting.signal)
  }
  await refuseCertificates(host, node, { kubeconfig })
  // Before the Node: a run that fails here finds it again, and with it what it was.
  if (isLostMaster) await forgetMaster(host, onRecord?.node ?? node, { kubeconfig })
  const existed = await forgetNode(host, node, { kubeconfig })
  if (!existed && !isLostMaster)
    throw new EdgeadmError('preflight', `the cluster has no node ${node}, and nothing of one`, {
      fix: '`edgeadm status` shows the nodes that there are',
    })
  if (dryRun) return
  reporting.emit({
    type: 'result',
    text: `${node} is out of the cluster. This machine was not changed.`,
    data: { node, removed: true },
  })
}

const isMaster = ({ metadata }: Node) =>
  metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined

const isEdge = (node: Node | undefined) =>
  node?.metadata.labels?.['node-role.kubernetes.io/edge'] !== undefined

async function check(
  { node, flags, reporting, confirm }: NodeRemoval,
  found: Node | undefined,
): Promise<void> {
  const isReady = found?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  if (found !== undefined && isMaster(found) && isReady === true)
    throw new EdgeadmError('preflight', `${node} is a master, and it is Ready`, {
      fix: `run \`edgeadm reset\` on ${node} itself; from here only a master that is lost can be taken out, which is seen some 40 s after its loss`,
    })
  if (isReady === true)
    reporting.emit({
      type: 'warning',
      text: isEdge(found)
        ? `${node} is Ready: its certificate becomes worthless at once, but unless \`edgeadm reset\` is run on it, its Pods run on there`
        : `${node} is Ready: unless \`edgeadm reset\` was run on it, it runs on, and comes back when it starts anew`,
    })
  if (flags['dry-run'] === true || flags.force === true) return
  if (confirm === undefined)
    throw new EdgeadmError(
      'usage',
      '`edgeadm reset --remove-node` asks before it acts, and there is no terminal to ask on',
      {
        fix: `give --force if ${node} is to leave the cluster`,
      },
    )
  if (!(await confirm(`Take ${node}, and the Pods on it, out of the cluster?`)))
    throw new EdgeadmError('usage', 'not confirmed: nothing was changed')
}

function hostFor(dryRun: boolean, { emit, signal }: Reporting): Host {
  const machine = new LocalMachine(signal)
  return dryRun ? dryRunHosts(machine, emit)(PHASE) : unrecordedHost(machine, PHASE, emit)
}
