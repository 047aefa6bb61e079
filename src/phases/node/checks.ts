/**
 * What must hold before anything is changed. All problems are reported at once, under kubeadm's names where kubeadm has
 * the check (so that `--ignore-preflight-errors` means what it means there), and in kubeadm's words and shape.
 */

import { EdgeadmError } from '../../output/errors.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import { checkMesh } from '../edge/mesh/checks.ts'
import { checkLoadBalancer } from '../load-balancer/checks.ts'
import type { Check } from '../problem.ts'
import { type Phase, trustJournal } from '../workflow.ts'
import { checkOffline } from './assert-offline.ts'
import { checkEtcd } from './check-etcd.ts'
import { checkFileSystems } from './check-file-systems.ts'
import { checkFirewall } from './check-firewall.ts'
import { checkLeftovers } from './check-leftovers.ts'
import { checkPorts } from './check-ports.ts'
import { checkPrograms } from './check-programs.ts'
import { checkResolver } from './check-resolver.ts'
import { checkResources } from './check-resources.ts'
import { checkState } from './check-state.ts'
import { checkSysctl } from './sysctl.ts'

const CHECKS: readonly Check[] = [
  checkResources,
  checkPrograms,
  checkFileSystems,
  checkState,
  checkLeftovers,
  checkResolver,
  checkSysctl,
  checkPorts,
  checkFirewall,
  checkEtcd,
  checkLoadBalancer,
  checkMesh,
  checkOffline,
]

function isIgnored(check: string, ignored: readonly string[]): boolean {
  return ignored.includes('all') || ignored.includes(check.toLowerCase())
}

export const checks: Phase<NodeContext> = {
  name: 'node/checks',
  title: 'Check the machine',
  preliminary: true,
  // They ask about the machine before edgeadm; on a rerun they have been answered.
  verify: trustJournal,
  run: async (ctx) => {
    const problems = (await Promise.all(CHECKS.map((check) => check(ctx)))).flat()
    const errors = problems.filter(
      ({ check, severity }) => severity === 'error' && !isIgnored(check, ctx.settings.ignorePreflightErrors),
    )
    for (const problem of problems) {
      if (!errors.includes(problem))
        ctx.emit({ type: 'warning', text: `[WARNING ${problem.check}]: ${problem.text}` })
    }
    if (errors.length === 0) return
    const role = isControlPlane(ctx.settings) ? 'a master' : 'a node'
    throw new EdgeadmError(
      'preflight',
      `[preflight] Some fatal errors occurred: this machine cannot become ${role} yet`,
      {
        details: errors.map(({ check, text }) => `[ERROR ${check}]: ${text}`),
        fix: 'mend what is listed; if you know what you are doing, make a check non-fatal with `--ignore-preflight-errors=…`',
      },
    )
  },
}
