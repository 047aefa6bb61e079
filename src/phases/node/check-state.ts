import type { Look } from '../../host/host.ts'
import { KUBEEDGE } from '../../kubeedge/paths.ts'
import { kubeadmLike } from '../../kubernetes/distributions.ts'
import { listeners } from '../../network/listeners.ts'
import { isControlPlane, KUBELET_CONF, type NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'
import { freeing } from './freeing.ts'
import { names } from './hosts.ts'

/** Files that only a node has, by kubeadm's names of their checks. */
const NODE_FILES = [KUBELET_CONF, '/etc/kubernetes/bootstrap-kubelet.conf']
const MANIFESTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']

/** kubeadm writes the first; without either a kubelet of kubeadm's packages ends at once. */
const KUBELET_FILES = ['/var/lib/kubelet/config.yaml', KUBELET_CONF]
const KUBELET_PORT = 10250

/** A distribution's kubelet.service starts and ends again and again until kubeadm has configured it: that is no node. */
async function isKubeletAtWork(host: Look): Promise<boolean> {
  if (!(await host.serviceState('kubelet.service')).active) return false
  for (const path of KUBELET_FILES) if ((await host.stat(path)) !== undefined) return true
  return (await listeners(host)).has(KUBELET_PORT)
}

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
      text: `${path} already exists: this machine is a node already; ${await freeing(host, `\`${(await kubeadmLike(host)).removal}\` takes it out of its cluster`)}`,
    })
  }
  if ((await host.list(KUBEEDGE)).length > 0) {
    problems.push({
      check: 'DirAvailable--etc-kubeedge',
      severity: 'error',
      text: `${KUBEEDGE} is not empty: this machine is or was an edge node; ${await freeing(host, `\`keadm reset edge\` or \`rm -r ${KUBEEDGE}\` removes it`)}`,
    })
  }
  if (await isKubeletAtWork(host)) {
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
