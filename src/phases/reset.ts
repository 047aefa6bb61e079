/** What `edgeadm reset` does, in order. Each line is one file; the names are for `--skip-phases` and `reset phase`. */

import { handOver } from './load-balancer/hand-over.ts'
import { quorum } from './load-balancer/quorum.ts'
import { containers } from './reset/containers.ts'
import type { ResetContext } from './reset/context.ts'
import { etcdMember } from './reset/etcd-member.ts'
import { goingOn } from './reset/going-on.ts'
import { ipvs } from './reset/ipvs.ts'
import { kubeadmReset } from './reset/kubeadm.ts'
import { links } from './reset/links.ts'
import { modules } from './reset/modules.ts'
import { guarded } from './reset/network-guard.ts'
import { removeNode } from './reset/remove-node.ts'
import { residue } from './reset/residue.ts'
import { restore } from './reset/restore.ts'
import { rules } from './reset/rules.ts'
import type { Phase } from './workflow.ts'

/**
 * Only two may stop it before anything is lost: a cluster without a quorum, a member that etcd still counts. What is guarded
 * stops it where it would cut off somebody who called it over SSH.
 */
export const resetPhases: readonly Phase<ResetContext>[] = [
  quorum,
  goingOn(handOver),
  goingOn(kubeadmReset('preflight')),
  etcdMember,
  // The credentials go last, with cleanup-node.
  goingOn(removeNode),
  goingOn(kubeadmReset('cleanup-node')),
  goingOn(containers),
  guarded(goingOn(rules)),
  guarded(goingOn(ipvs)),
  guarded(goingOn(links)),
  guarded(goingOn(restore)),
  guarded(goingOn(modules)),
  residue,
]
