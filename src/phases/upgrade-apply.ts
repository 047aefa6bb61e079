/** What `edgeadm upgrade apply` does, in order, on the first master; `upgrade node` on further masters leaves out what is marked. */

import { edgeParts } from '../kubeedge/parts.ts'
import { edgeAffinity } from './edge/affinity.ts'
import { cloudCore, cloudCoreReady } from './edge/cloudcore.ts'
import { edgeCustomResources } from './edge/custom-resources.ts'
import { cleanUp } from './kubernetes/clean-up.ts'
import { flannel } from './kubernetes/flannel.ts'
import { kubelet } from './kubernetes/kubelet.ts'
import { unpack } from './package.ts'
import { cniPlugins } from './runtime/cni-plugins.ts'
import { containerd } from './runtime/containerd.ts'
import { images } from './runtime/images.ts'
import { backup } from './upgrade/backup.ts'
import { masterChecks, nodeChecks } from './upgrade/checks.ts'
import type { MasterUpgradeContext } from './upgrade/context.ts'
import { drain, uncordon } from './upgrade/drain.ts'
import { kubeProxy, onLastMaster } from './upgrade/kube-proxy.ts'
import { kubeadmUpgrade } from './upgrade/kubeadm.ts'
import { awaitKubelet, pastAbort, restartKubelet } from './upgrade/programs.ts'
import { clusterFacts, finish, kubeEdgeOf, recordVersion } from './upgrade/record.ts'
import { begin } from './upgrade/state.ts'
import type { Phase } from './workflow.ts'

type Master = Phase<MasterUpgradeContext>

/** Of the cluster as a whole, once all masters are new. */
const withLastMaster = (phase: Master): Master => ({
  ...phase,
  runIf: async (ctx) => {
    const last = await onLastMaster(ctx)
    return last === true ? ((await phase.runIf?.(ctx)) ?? true) : last
  },
})

/** The cloud side stays as it is, with what was set up since, unless the package has another KubeEdge. */
const withOtherKubeEdge = (phase: Master): Master => ({
  ...phase,
  runIf: async (ctx) => {
    if (ctx.settings.dryRun) return 'the cluster is asked then'
    const version = edgeParts(ctx.manifest)?.version
    if (version !== undefined && version === (await kubeEdgeOf(ctx.host)))
      return `the cluster has KubeEdge ${version} already`
    return (await phase.runIf?.(ctx)) ?? true
  },
})

export const upgradeApplyPhases = (losesEdits: boolean): readonly Master[] => [
  masterChecks(losesEdits),
  unpack,
  begin,
  images,
  backup,
  kubeadmUpgrade('apply', 'preflight'),
  kubeadmUpgrade('apply', 'control-plane'),
  // Before upload-config, not after kubeconfig as in kubeadm: from 1.34 on upload-config takes the annotation with the runtime's
  // socket off the Node, and a kubeadm that starts after that needs the file that kubelet-config writes in its place.
  kubeadmUpgrade('apply', 'kubelet-config'),
  kubeadmUpgrade('apply', 'upload-config'),
  kubeadmUpgrade('apply', 'kubeconfig'),
  kubeadmUpgrade('apply', 'bootstrap-token'),
  kubeadmUpgrade('apply', 'post-upgrade'),
  ...programs(),
  ...addOns('apply'),
  recordVersion,
  cleanUp,
  finish,
]

/** A further master. */
export const upgradeMasterPhases: readonly Master[] = [
  nodeChecks,
  unpack,
  begin,
  images,
  backup,
  kubeadmUpgrade('node', 'preflight'),
  kubeadmUpgrade('node', 'control-plane'),
  kubeadmUpgrade('node', 'kubeconfig'),
  kubeadmUpgrade('node', 'kubelet-config'),
  kubeadmUpgrade('node', 'post-upgrade'),
  ...programs(),
  ...addOns('node'),
  recordVersion,
  cleanUp,
  finish,
]

function programs(): Master[] {
  return [drain, pastAbort, containerd, cniPlugins, kubelet, restartKubelet, awaitKubelet, uncordon]
}

function addOns(workflow: 'apply' | 'node'): Master[] {
  return [
    withLastMaster(kubeadmUpgrade(workflow, 'addon/coredns')),
    kubeProxy,
    withLastMaster(flannel as Master),
    withLastMaster(edgeAffinity as Master),
    withLastMaster(withOtherKubeEdge(edgeCustomResources as Master)),
    withLastMaster(withOtherKubeEdge(cloudCore as Master)),
    withLastMaster(withOtherKubeEdge(cloudCoreReady as Master)),
    clusterFacts,
  ]
}
