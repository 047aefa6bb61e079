/** What `edgeadm join --edge-runtime=superedge` does, in order: a worker of kubeadm's that speaks through lite-apiserver. */

import type { JoinContext } from './context.ts'
import { superEdgeDiscovery } from './edge/superedge/discovery.ts'
import { fillCache } from './edge/superedge/fill-cache.ts'
import { superEdgeKubeadmConfig } from './edge/superedge/kubeadm-config.ts'
import { liteApiserver, liteApiserverStart } from './edge/superedge/lite-apiserver.ts'
import { cleanUp } from './kubernetes/clean-up.ts'
import { cniConfig } from './kubernetes/cni-config.ts'
import { forgetToken } from './kubernetes/forget-token.ts'
import { kubeadm } from './kubernetes/kubeadm.ts'
import { kubelet } from './kubernetes/kubelet.ts'
import { nodeReady } from './kubernetes/node-ready.ts'
import { assertOffline, watchOffline } from './node/assert-offline.ts'
import { checks } from './node/checks.ts'
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

const kubeletStart = kubeadm<JoinContext>('join', 'kubelet-start')

export const joinSuperEdgePhases: readonly Phase<JoinContext>[] = [
  checks,
  superEdgeDiscovery,
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
  liteApiserver,
  liteApiserverStart,
  superEdgeKubeadmConfig,
  kubeadm('join', 'preflight'),
  kubeletStart,
  kubeadm('join', 'kubelet-wait-bootstrap'),
  cniConfig,
  nodeReady,
  fillCache,
  forgetToken,
  cleanUp,
  assertOffline,
]
