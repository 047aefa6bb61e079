/** What `edgeadm upgrade node` does, in order, on a worker and on an edge node; a further master: upgrade-apply.ts. */

import { cleanUp } from './kubernetes/clean-up.ts'
import { kubelet } from './kubernetes/kubelet.ts'
import { unpack } from './package.ts'
import { cniPlugins } from './runtime/cni-plugins.ts'
import { containerd } from './runtime/containerd.ts'
import { images } from './runtime/images.ts'
import { nodeChecks } from './upgrade/checks.ts'
import type { UpgradeContext } from './upgrade/context.ts'
import { drain, uncordon } from './upgrade/drain.ts'
import { edgeUpgradeCheck, swapEdgeCore } from './upgrade/edge.ts'
import { kubeadmUpgrade } from './upgrade/kubeadm.ts'
import { awaitKubelet, pastAbort, restartKubelet } from './upgrade/programs.ts'
import { finish, recordVersion } from './upgrade/record.ts'
import { begin } from './upgrade/state.ts'
import type { Phase } from './workflow.ts'

export const upgradeWorkerPhases: readonly Phase<UpgradeContext>[] = [
  nodeChecks,
  unpack,
  begin,
  images,
  kubeadmUpgrade('node', 'preflight'),
  kubeadmUpgrade('node', 'kubelet-config'),
  kubeadmUpgrade('node', 'post-upgrade'),
  drain,
  pastAbort,
  containerd,
  cniPlugins,
  kubelet,
  restartKubelet,
  awaitKubelet,
  uncordon,
  recordVersion,
  cleanUp,
  finish,
]

export const upgradeEdgePhases: readonly Phase<UpgradeContext>[] = [
  edgeUpgradeCheck,
  unpack,
  begin,
  images,
  pastAbort,
  containerd,
  cniPlugins,
  swapEdgeCore,
  recordVersion,
  cleanUp,
  finish,
]

/** `edgeadm upgrade images`: before the first master is upgraded, on every other node. Nothing that runs is changed. */
export const upgradeImagesPhases: readonly Phase<UpgradeContext>[] = [unpack, images]
