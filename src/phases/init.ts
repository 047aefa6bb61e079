/** What `edgeadm init` does, in order. Each line is one file; the names are for `--skip-phases` and `init phase`. */

import type { InitContext } from './context.ts'
import { edgeAffinity } from './edge/affinity.ts'
import { edgeCertificates } from './edge/certificates.ts'
import { edgePartsCheck } from './edge/checks.ts'
import { cloudCore, cloudCoreReady } from './edge/cloudcore.ts'
import { edgeCustomResources } from './edge/custom-resources.ts'
import { edgeMesh } from './edge/mesh/edgemesh.ts'
import { superEdge, superEdgeCheck } from './edge/superedge/cluster.ts'
import { adminKubeconfig } from './kubernetes/admin-kubeconfig.ts'
import { apiServerReady } from './kubernetes/api-server-ready.ts'
import { certificates } from './kubernetes/certificates.ts'
import { cleanUp } from './kubernetes/clean-up.ts'
import { cniConfig } from './kubernetes/cni-config.ts'
import { kubeadmConfig } from './kubernetes/config.ts'
import { coreDnsUpstream } from './kubernetes/coredns-upstream.ts'
import { flannel } from './kubernetes/flannel.ts'
import { kubeadm } from './kubernetes/kubeadm.ts'
import { kubelet } from './kubernetes/kubelet.ts'
import { masterRecord } from './kubernetes/master-record.ts'
import { nodeReady } from './kubernetes/node-ready.ts'
import { podProbe } from './kubernetes/pod-probe.ts'
import { awaitEndpoint } from './load-balancer/await-endpoint.ts'
import { installLoadBalancer } from './load-balancer/install.ts'
import { members } from './load-balancer/members.ts'
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
import { apiServerImages, otherImages } from './runtime/images.ts'
import { inBackground, type Phase } from './workflow.ts'

const kubeletStart = kubeadm<InitContext>('init', 'kubelet-start')
const controllerManager = kubeadm<InitContext>('init', 'control-plane/controller-manager')

export const initPhases: readonly Phase<InitContext>[] = [
  checks,
  edgePartsCheck,
  superEdgeCheck,
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
  inBackground(apiServerImages, kubeletStart),
  kubelet,
  selinux,
  kubeadmConfig,
  kubeadm('init', 'preflight'),
  certificates,
  kubeadm('init', 'kubeconfig'),
  kubeadm('init', 'etcd'),
  kubeadm('init', 'control-plane/apiserver'),
  kubeletStart,
  inBackground(otherImages, controllerManager),
  installLoadBalancer,
  apiServerReady,
  controllerManager,
  kubeadm('init', 'control-plane/scheduler'),
  kubeadm('init', 'wait-control-plane'),
  awaitEndpoint,
  // From 1.34 on kubeadm gives the administrator's certificate its rights here, not while it waits.
  kubeadm('init', 'upload-config'),
  flannel,
  kubeadm('init', 'upload-certs', {
    runIf: ({ settings }) => (settings.uploadCerts ? true : 'only with --upload-certs'),
  }),
  kubeadm('init', 'mark-control-plane'),
  masterRecord,
  members,
  kubeadm('init', 'bootstrap-token'),
  kubeadm('init', 'kubelet-finalize'),
  kubeadm('init', 'addon'),
  coreDnsUpstream,
  adminKubeconfig,
  edgeAffinity,
  superEdge,
  edgeCustomResources,
  edgeCertificates,
  cloudCore,
  cniConfig,
  nodeReady,
  inBackground(podProbe, cleanUp),
  cloudCoreReady,
  edgeMesh,
  cleanUp,
  assertOffline,
]
