/** What `edgeadm join` does, in order, for a worker or a further master. */

import { isControlPlane, type JoinContext } from './context.ts'
import { edgeMasters } from './edge/masters.ts'
import { adminKubeconfig } from './kubernetes/admin-kubeconfig.ts'
import { cleanUp } from './kubernetes/clean-up.ts'
import { cniConfig } from './kubernetes/cni-config.ts'
import { kubeadmConfig } from './kubernetes/config.ts'
import { etcdLearners } from './kubernetes/etcd-learners.ts'
import { forgetToken } from './kubernetes/forget-token.ts'
import { kubeadm } from './kubernetes/kubeadm.ts'
import { kubelet } from './kubernetes/kubelet.ts'
import { masterRecord } from './kubernetes/master-record.ts'
import { nodeReady } from './kubernetes/node-ready.ts'
import { podProbe } from './kubernetes/pod-probe.ts'
import { installLoadBalancer } from './load-balancer/install.ts'
import { controlPlaneCheck } from './load-balancer/join-check.ts'
import { members } from './load-balancer/members.ts'
import { assertOffline, watchOffline } from './node/assert-offline.ts'
import { checks } from './node/checks.ts'
import { discovery } from './node/discovery.ts'
import { firewall } from './node/firewall.ts'
import { hosts } from './node/hosts.ts'
import { modules } from './node/modules.ts'
import { record } from './node/record.ts'
import { selinux } from './node/selinux.ts'
import { swap } from './node/swap.ts'
import { sysctl } from './node/sysctl.ts'
import { unpack } from './package.ts'
import { cniPlugins } from './runtime/cni-plugins.ts'
import { containerd } from './runtime/containerd.ts'
import { images } from './runtime/images.ts'
import { inBackground, type Phase } from './workflow.ts'

const onMasters = {
  runIf: ({ settings }: JoinContext) => (isControlPlane(settings) ? true : 'only with --control-plane'),
}

const kubeletStart = kubeadm<JoinContext>('join', 'kubelet-start')

export const joinPhases: readonly Phase<JoinContext>[] = [
  checks,
  discovery,
  { ...controlPlaneCheck, ...onMasters },
  unpack,
  record,
  watchOffline,
  swap,
  modules,
  sysctl,
  hosts,
  firewall,
  containerd,
  cniPlugins,
  inBackground(images, kubeletStart),
  kubelet,
  selinux,
  kubeadmConfig,
  kubeadm('join', 'preflight'),
  kubeadm('join', 'control-plane-prepare', onMasters),
  kubeadm('join', 'check-etcd', onMasters),
  etcdLearners,
  kubeletStart,
  kubeadm('join', 'etcd-join', onMasters),
  kubeadm('join', 'kubelet-wait-bootstrap'),
  kubeadm('join', 'control-plane-join', onMasters),
  kubeadm('join', 'wait-control-plane', onMasters),
  installLoadBalancer,
  masterRecord,
  members,
  { ...adminKubeconfig, ...onMasters },
  { ...edgeMasters, ...onMasters },
  cniConfig,
  nodeReady,
  podProbe,
  forgetToken,
  cleanUp,
  assertOffline,
]
