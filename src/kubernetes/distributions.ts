/** Other programs that make a machine a node, how they are recognized, and what takes the machine out of their cluster. */

import type { Look } from '../host/host.ts'

export interface Distribution {
  readonly name: string
  /** The command that takes the machine out of its cluster. */
  readonly removal: string
}

/** Services by which other distributions run a node. */
const UNITS = [
  { unit: 'k3s.service', name: 'k3s', removal: 'k3s-uninstall.sh' },
  { unit: 'k3s-agent.service', name: 'k3s', removal: 'k3s-agent-uninstall.sh' },
  { unit: 'k0scontroller.service', name: 'k0s', removal: 'k0s stop && k0s reset' },
  { unit: 'k0sworker.service', name: 'k0s', removal: 'k0s stop && k0s reset' },
  { unit: 'rke2-server.service', name: 'RKE2', removal: 'rke2-uninstall.sh' },
  { unit: 'rke2-agent.service', name: 'RKE2', removal: 'rke2-uninstall.sh' },
  { unit: 'snap.microk8s.daemon-kubelite.service', name: 'MicroK8s', removal: 'snap remove microk8s' },
  { unit: 'edgecore.service', name: 'KubeEdge', removal: 'keadm reset edge' },
] as const

/** KubeKey puts its scripts here (pkg/common/kube_script.go) and calls kubeadm for the rest. */
const KUBEKEY = '/usr/local/bin/kube-scripts'

export const KUBEADM: Distribution = { name: 'kubeadm', removal: 'kubeadm reset' }
export const KEADM: Distribution = { name: 'keadm', removal: 'keadm reset edge' }

/** The distributions whose service runs or is enabled on this machine. */
export async function otherDistributions(
  host: Look,
): Promise<(Distribution & { readonly unit: string; readonly active: boolean })[]> {
  const states = await Promise.all(
    UNITS.map(async (one) => ({ ...one, ...(await host.serviceState(one.unit)) })),
  )
  return states.filter(({ enabled, active }) => enabled || active)
}

/** What seems to have made a node that kubeadm's files belong to: kubeadm itself, or KubeKey through it. */
export async function kubeadmLike(host: Look): Promise<Distribution> {
  return (await host.stat(KUBEKEY)) === undefined
    ? KUBEADM
    : { name: 'KubeKey', removal: 'kk delete node NAME -f CONFIG' }
}
