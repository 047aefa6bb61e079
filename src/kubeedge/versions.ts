/**
 * Which versions go together. Sources: KubeEdge's README ("Kubernetes compatibility") and its security advisories of
 * July 2026; `tried` are pairs beyond upstream's list that edgeadm's own tests run.
 */

interface Line {
  /** The first release of this line without known holes. */
  readonly floor: string
  /** Kubernetes minors that upstream lists, without those that lack what edgeadm's own policies need. */
  readonly kubernetes: readonly string[]
  readonly tried: readonly string[]
  /** The kubelet inside edgecore. */
  readonly kubelet: string
}

const KUBEEDGE: Readonly<Record<string, Line>> = {
  '1.21': { floor: 'v1.21.2', kubernetes: ['1.30'], tried: [], kubelet: '1.30' },
  '1.22': { floor: 'v1.22.2', kubernetes: ['1.30', '1.31'], tried: [], kubelet: '1.31' },
  '1.23': { floor: 'v1.23.1', kubernetes: ['1.30', '1.31', '1.32'], tried: ['1.33'], kubelet: '1.32' },
}

export type PairVerdict =
  | { readonly state: 'good' }
  | { readonly state: 'doubtful' | 'refused'; readonly reason: string }

/** admissionregistration.k8s.io/v1 has ValidatingAdmissionPolicy from this minor on; without it edges are not contained. */
const OLDEST = 30

/** A kubelet may be this many minors older than the API server (Kubernetes' version skew policy). */
const SKEW = 3

/** Whether this KubeEdge and this Kubernetes work together, and why not. @param kubeEdge with "v", as `kubernetes` */
export function checkPair(kubeEdge: string, kubernetes: string): PairVerdict {
  const line = KUBEEDGE[minorOf(kubeEdge)]
  if (line === undefined)
    return {
      state: 'refused',
      reason: `edgeadm does not know KubeEdge ${kubeEdge}; it knows ${Object.keys(KUBEEDGE).join(', ')}`,
    }
  if (numberOf(kubeEdge, 2) < numberOf(line.floor, 2))
    return {
      state: 'refused',
      reason: `KubeEdge ${kubeEdge} has known security holes, mended in ${line.floor}`,
    }
  if (numberOf(kubernetes, 1) < OLDEST)
    return {
      state: 'refused',
      reason: `Kubernetes ${kubernetes} is too old for the cloud side: it needs ValidatingAdmissionPolicy v1, which 1.${OLDEST} has`,
    }
  const minor = minorOf(kubernetes)
  if (line.kubernetes.includes(minor) || line.tried.includes(minor)) return { state: 'good' }
  const behind = numberOf(kubernetes, 1) - Number(line.kubelet.split('.')[1])
  if (behind > SKEW)
    return {
      state: 'refused',
      reason: `KubeEdge ${kubeEdge} has the kubelet ${line.kubelet}, more than ${SKEW} minor versions behind Kubernetes ${kubernetes}`,
    }
  if (behind < -SKEW)
    return {
      state: 'refused',
      reason: `Kubernetes ${kubernetes} is too old for KubeEdge ${kubeEdge}, which is made for ${line.kubernetes.join(', ')}`,
    }
  return {
    state: 'doubtful',
    reason: `KubeEdge ${kubeEdge} is made for Kubernetes ${line.kubernetes.join(', ')}, not for ${minor}`,
  }
}

const minorOf = (version: string) => /^v?(\d+\.\d+)/.exec(version)?.[1] ?? version
const numberOf = (version: string, index: number) =>
  Number.parseInt(version.replace(/^v/, '').split('.')[index] ?? '0', 10)
