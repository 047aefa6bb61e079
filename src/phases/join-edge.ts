/** What `edgeadm join --enable-edge` does, in order: the machine becomes an edge node. kubeadm has no part in it. */

import type { JoinContext } from './context.ts'
import { edgeCni } from './edge/cni.ts'
import { edgeConfig } from './edge/config.ts'
import { edgeCredentials } from './edge/credentials.ts'
import { edgeDiscovery } from './edge/discovery.ts'
import { edgeInstall } from './edge/install.ts'
import { edgeLink } from './edge/link.ts'
import { meshRenew } from './edge/mesh/renew.ts'
import { meshResolver } from './edge/mesh/resolver.ts'
import { edgeReady, metaServerReady } from './edge/ready.ts'
import { edgeStart } from './edge/start.ts'
import { cleanUp } from './kubernetes/clean-up.ts'
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

/** Small machines at the edge need their swap, and edgecore runs with it by KubeEdge's own default (failSwapOn: false). */
const swapIfAsked: Phase<JoinContext> = {
  ...swap,
  runIf: (ctx) =>
    ctx.settings.documents.KubeletConfiguration?.failSwapOn === true
      ? (swap.runIf?.(ctx) ?? true)
      : 'edgecore runs with swap',
}

export const joinEdgePhases: readonly Phase<JoinContext>[] = [
  checks,
  edgeDiscovery,
  unpack,
  record,
  watchOffline,
  swapIfAsked,
  modules,
  sysctl,
  hosts,
  firewall,
  containerd,
  cniPlugins,
  inBackground(images, edgeStart),
  edgeInstall,
  selinux,
  edgeCni,
  edgeLink,
  edgeCredentials,
  edgeConfig,
  meshResolver,
  edgeStart,
  edgeReady,
  metaServerReady,
  meshRenew,
  cleanUp,
  assertOffline,
]
