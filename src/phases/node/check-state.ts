import { KUBEEDGE } from '../../kubeedge/paths.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import type { Problem } from './checks.ts'
import { names } from './hosts.ts'

/** Files that only a node has, by kubeadm's names of their checks. */
const NODE_FILES = ['/etc/kubernetes/kubelet.conf', '/etc/kubernetes/bootstrap-kubelet.conf']
const MANIFESTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']

/** Whether the machine is free to become a node: no earlier node, no leftovers, names that resolve. */
export async function checkState(ctx: NodeContext): Promise<Problem[]> {
  const { host, settings } = ctx
  const problems: Problem[] = []
  const files = isControlPlane(settings)
    ? [...NODE_FILES, ...MANIFESTS.map((name) => `/etc/kubernetes/manifests/${name}.yaml`)]
    : [...NODE_FILES, '/etc/kubernetes/pki/ca.crt']
  for (const path of files) {
    if ((await host.stat(path)) === undefined) continue
    problems.push({
      check: `FileAvailable-${path.replaceAll('/', '-')}`,
      severity: 'error',
      text: `${path} already exists: this machine is a node already; \`edgeadm reset\` makes it free again`,
    })
  }
  if (isControlPlane(settings) && (await host.list('/var/lib/etcd')).length > 0) {
    problems.push({
      check: 'DirAvailable--var-lib-etcd',
      severity: 'error',
      text: '/var/lib/etcd is not empty: it holds the data of another cluster',
    })
  }
  if ((await host.list(KUBEEDGE)).length > 0) {
    problems.push({
      check: 'DirAvailable--etc-kubeedge',
      severity: 'error',
      text: `${KUBEEDGE} is not empty: this machine is or was an edge node; \`edgeadm reset\` makes it free again`,
    })
  }
  if ((await host.serviceState('kubelet.service')).active) {
    problems.push({
      check: 'KubeletRunning',
      severity: 'error',
      text: 'a kubelet runs already: this machine is a node of a cluster',
    })
  }
  if (!names((await host.readFile('/etc/hosts')) ?? '', settings.node.name)) {
    problems.push({
      check: 'Hostname',
      severity: 'warning',
      text: `hostname "${settings.node.name}" is not in /etc/hosts: edgeadm adds it`,
    })
  }
  return problems
}
