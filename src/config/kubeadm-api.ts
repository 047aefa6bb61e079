/** Which of kubeadm's configuration API versions a kubeadm reads (cmd/kubeadm/app/util/config/common.go of each release). */

import { isAtLeast } from './versions.ts'

interface ApiVersion {
  readonly name: string
  /** First Kubernetes 1.x whose kubeadm reads it. */
  readonly since: number
  /** First Kubernetes 1.x whose kubeadm no longer does. */
  readonly until: number
  /** First Kubernetes 1.x whose kubeadm calls it deprecated. */
  readonly deprecated: number
}

const API_VERSIONS: readonly ApiVersion[] = [
  { name: 'kubeadm.k8s.io/v1beta2', since: 15, until: 27, deprecated: 22 },
  { name: 'kubeadm.k8s.io/v1beta3', since: 22, until: 37, deprecated: 31 },
  {
    name: 'kubeadm.k8s.io/v1beta4',
    since: 31,
    until: Number.POSITIVE_INFINITY,
    deprecated: Number.POSITIVE_INFINITY,
  },
]

/** The newest version that the kubeadm of this release reads, and that edgeadm writes for it. */
export function kubeadmApiVersion(kubernetesVersion: string): string {
  return isAtLeast(kubernetesVersion, 31) ? 'kubeadm.k8s.io/v1beta4' : 'kubeadm.k8s.io/v1beta3'
}

export type ApiVersionState = 'current' | 'deprecated' | 'removed' | 'too-new' | 'unknown'

export function apiVersionState(apiVersion: string, kubernetesVersion: string): ApiVersionState {
  const known = API_VERSIONS.find((one) => one.name === apiVersion)
  if (!known) return 'unknown'
  if (!isAtLeast(kubernetesVersion, known.since)) return 'too-new'
  if (isAtLeast(kubernetesVersion, known.until)) return 'removed'
  return isAtLeast(kubernetesVersion, known.deprecated) ? 'deprecated' : 'current'
}

/** From v1beta4 on, extra arguments are a list of `{name, value}`; before, a map. */
export function extraArgsAreList(apiVersion: string): boolean {
  return apiVersion !== 'kubeadm.k8s.io/v1beta3' && apiVersion !== 'kubeadm.k8s.io/v1beta2'
}
