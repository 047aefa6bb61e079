/** `edgeadm reset --remove-node NODE` on a master: another machine's node leaves the cluster; this machine stays as it is. */

import { hostname } from 'node:os'
import type { ResetFlags } from '../config/flags.ts'
import { subdomainProblem } from '../config/names.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { ADMIN_CONF } from '../phases/context.ts'
import { VERSION } from '../version.ts'
import { requireLinuxRoot } from './prerequisites.ts'
import {
  hostForNode,
  type KnownNode,
  lookUpNode,
  lostMemberOf,
  requireCredentials,
  takeOutNode,
} from './take-out-node.ts'

const PHASE = 'remove-node'

export interface NodeRemoval {
  readonly node: string
  readonly flags: ResetFlags
  readonly reporting: Reporting
  /** Undefined where there is no terminal to ask on. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
}

/** @throws EdgeadmError class `usage` or `preflight`: nothing was changed; `phase`: run it again */
export async function removeNodeFromCluster(removal: NodeRemoval): Promise<void> {
  const { node, flags, reporting } = removal
  const dryRun = flags['dry-run'] === true
  requireLinuxRoot('reset --remove-node', dryRun)
  const problem = subdomainProblem(node)
  if (problem !== undefined) throw new EdgeadmError('usage', `--remove-node ${node}: ${problem}`)
  const host = hostForNode(PHASE, dryRun, reporting)
  const kubeconfig = flags.kubeconfig ?? ADMIN_CONF
  await requireCredentials(host, kubeconfig)
  const known = await lookUpNode(host, node, kubeconfig)
  await check(removal, known)
  const member = await lostMemberOf(host, known, kubeconfig)
  const run = { command: 'reset --remove-node', version: VERSION, node: hostname(), dryRun, phases: [PHASE] }
  reporting.emit({ type: 'run', ...run })
  if (!(await takeOutNode(host, known, member, { phase: PHASE, kubeconfig, dryRun }, reporting)))
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

async function check(
  { node, flags, reporting, confirm }: NodeRemoval,
  { exists, isMaster, isReady, isEdge }: KnownNode,
): Promise<void> {
  if (exists && isMaster && isReady)
    throw new EdgeadmError('preflight', `${node} is a master, and it is Ready`, {
      fix: `run \`edgeadm reset\` on ${node} itself; from here only a master that is lost can be taken out, which is seen some 40 s after its loss`,
    })
  if (isReady)
    reporting.emit({
      type: 'warning',
      text: isEdge
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
