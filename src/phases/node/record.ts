import { dirname } from 'node:path'
import { SET_BY_KUBELET } from '../../kubernetes/kernel-parameters.ts'
import { lookAtNetwork, readBaseline, saveBaseline } from '../../network/baseline.ts'
import { NAMESPACES } from '../../network/links.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/**
 * Kernel parameters that the kubelet sets, that kube-proxy sets (cmd/kube-proxy/app/conntrack.go, pkg/proxy/iptables), and
 * that the kernel itself changes with `ip_forward`.
 */
const SET_BY_OTHERS = [
  ...SET_BY_KUBELET,
  'net/netfilter/nf_conntrack_max',
  'net/netfilter/nf_conntrack_tcp_timeout_established',
  'net/netfilter/nf_conntrack_tcp_timeout_close_wait',
  'net/netfilter/nf_conntrack_tcp_be_liberal',
  'net/netfilter/nf_conntrack_udp_timeout',
  'net/netfilter/nf_conntrack_udp_timeout_stream',
  'net/ipv4/conf/all/route_localnet',
  'net/ipv4/conf/all/accept_redirects',
  'net/ipv4/conf/default/accept_redirects',
]
/**
 * What kubeadm, the kubelet, kubectl, CNI plugins and containerd's CRI plugin will make. containerd does as soon as it
 * starts, so all of it is claimed here and not where the program in question is installed.
 */
const MADE_BY_OTHERS = [
  '/etc/kubernetes',
  '/etc/cni/net.d',
  '/var/lib/cni',
  '/var/lib/kube-proxy',
  '/var/log/pods',
  '/var/log/containers',
  '/usr/libexec/kubernetes',
  '/run/flannel',
  '/run/nri',
  '/run/xtables.lock',
  '/root/.kube/cache',
]
/** Above or beside them; others may use them, so reset removes them only when they are empty. */
const SHARED = ['/etc/cni', '/root/.kube', '/lib/modules', NAMESPACES]
/** The kubelet's unit wants it. */
const STARTED_BY_OTHERS = 'network-online.target'
const FORWARDING = ['/proc/sys/net/ipv4/conf', '/proc/sys/net/ipv6/conf']

/** kubeadm's reset empties it, and so it does with a master's directories (cmd/kubeadm/app/cmd/phases/reset). */
const KUBELET = '/var/lib/kubelet'

/** A master's directories that the user may have put elsewhere. */
function madeByKubeadm(settings: NodeContext['settings']): string[] {
  if (!isControlPlane(settings)) return []
  const etcd = settings.documents.ClusterConfiguration?.etcd as { local?: { dataDir?: unknown } } | undefined
  const dataDirectory = etcd?.local?.dataDir
  return [
    typeof dataDirectory === 'string' ? dataDirectory : '/var/lib/etcd',
    ...(settings.command === 'init' ? [settings.certDir] : []),
  ]
}

/** What Kubernetes changes by itself later on, so that reset can put it back. Changes nothing. */
export const record: Phase<NodeContext> = {
  name: 'node/record',
  title: 'Record the state of the machine',
  verify: async () => (await readBaseline()) !== undefined,
  run: async ({ host, settings }) => {
    for (const key of SET_BY_OTHERS) await host.claimSysctl(key)
    for (const directory of FORWARDING) {
      for (const device of await host.list(directory))
        await host.claimSysctl(`${directory.slice('/proc/sys/'.length)}/${device}/forwarding`)
    }
    await host.claimService(STARTED_BY_OTHERS)
    for (const path of SHARED) await host.makeDirectory(path)
    const emptied = [KUBELET, ...madeByKubeadm(settings)]
    for (const path of [...MADE_BY_OTHERS, ...emptied]) {
      await host.makeDirectory(dirname(path))
      await host.claim(path, { emptied: emptied.includes(path) })
    }
    // Last: it tells a rerun that all of this was done before Kubernetes could change anything.
    if (!settings.dryRun) await saveBaseline(await lookAtNetwork(host))
  },
}
