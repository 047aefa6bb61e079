/** What `edgeadm reset` does, in order. Each line is one file; the names are for `--skip-phases` and `reset phase`. */

import { handOver } from './load-balancer/hand-over.ts'
import { quorum } from './load-balancer/quorum.ts'
import { containers } from './reset/containers.ts'
import type { ResetContext } from './reset/context.ts'
import { ipvs } from './reset/ipvs.ts'
import { kubeadmReset } from './reset/kubeadm.ts'
import { links } from './reset/links.ts'
import { modules } from './reset/modules.ts'
import { removeNode } from './reset/remove-node.ts'
import { residue } from './reset/residue.ts'
import { restore } from './reset/restore.ts'
import { rules } from './reset/rules.ts'
import type { Phase } from './workflow.ts'

export const resetPhases: readonly Phase<ResetContext>[] = [
  quorum,
  handOver,
  kubeadmReset('preflight'),
  kubeadmReset('remove-etcd-member'),
  // kubeadm finds its etcd member by the Node, and takes away the credentials last.
  removeNode,
  kubeadmReset('cleanup-node'),
  containers,
  rules,
  ipvs,
  links,
  restore,
  modules,
  residue,
]
