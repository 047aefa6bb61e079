/** What an upgrade has to know of the cluster, asked once before anything is changed. */

import { parse } from 'yaml'
import type { Look } from '../../host/host.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../../kubeedge/cluster-facts.ts'
import { healthOf } from '../../kubernetes/etcd.ts'
import { stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'

export type NodeRole = 'master' | 'worker' | 'edge'

export interface ClusterNode {
  readonly name: string
  readonly role: NodeRole
  readonly ready: boolean
  readonly schedulable: boolean
  /** Of its kubelet, as it says: `v1.33.13`, `v1.32.10-kubeedge-v1.23.1`. */
  readonly version: string
  /** Names of images that the kubelet reports; at most fifty (its `nodeStatusMaxImages`). */
  readonly images: readonly string[]
}

export interface DisruptionBudget {
  /** `namespace/name`. */
  readonly name: string
  readonly allowed: number
  readonly pods: number
}

export interface ClusterState {
  /** ConfigMap kubeadm-config: what the cluster was made with or last upgraded to. */
  readonly version: string
  readonly nodes: readonly ClusterNode[]
  /** Node -> version of its API server, from its static Pod. */
  readonly apiServers: ReadonlyMap<string, string>
  /** One sentence each; empty: healthy, or an etcd that others run. */
  readonly etcdProblems: readonly string[]
  readonly budgets: readonly DisruptionBudget[]
  /** Of the cloud side; undefined: there is none. */
  readonly kubeEdgeVersion: string | undefined
  /** Pods on this node that nothing would make again elsewhere: `namespace/name`. */
  readonly loosePods: readonly string[]
}

interface List<T> {
  readonly items: readonly T[]
}
interface Meta {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[]
}
interface NodeObject {
  readonly metadata: Meta
  readonly spec: { readonly unschedulable?: boolean }
  readonly status: {
    readonly conditions?: readonly { type: string; status: string }[]
    readonly images?: readonly { readonly names?: readonly string[] }[]
    readonly nodeInfo: { readonly kubeletVersion: string }
  }
}
export interface PodObject {
  readonly metadata: Meta
  readonly spec: {
    readonly nodeName?: string
    readonly containers: readonly { name: string; image: string }[]
  }
  readonly status: { readonly phase?: string }
}
interface BudgetObject {
  readonly metadata: Meta
  readonly status: { readonly disruptionsAllowed?: number; readonly currentHealthy?: number }
}

const MIRROR = 'kubernetes.io/config.mirror'

/** @throws EdgeadmError class `phase` if the API server does not answer */
export async function clusterState(host: Look, nodeName: string): Promise<ClusterState> {
  const system = { namespace: 'kube-system' }
  const [nodes, config, apiServers, own, budgets, facts, etcdProblems] = await Promise.all([
    kubectlGet<List<NodeObject>>(host, ['nodes']),
    kubectlGet<{ data?: Record<string, string> }>(host, ['configmap', 'kubeadm-config'], system),
    kubectlGet<List<PodObject>>(host, ['pods', '-l', 'component=kube-apiserver'], system),
    kubectlGet<List<PodObject>>(host, ['pods', '-A', `--field-selector=spec.nodeName=${nodeName}`]),
    kubectlGet<List<BudgetObject>>(host, ['poddisruptionbudgets', '-A']),
    kubectlGet<{ data?: Record<string, string> }>(host, ['configmap', FACTS_CONFIG_MAP], {
      namespace: NAMESPACE,
    }),
    etcdState(host),
  ])
  const cluster = parse(config?.data?.ClusterConfiguration ?? '{}') as { kubernetesVersion?: string }
  return {
    version: cluster.kubernetesVersion ?? '',
    nodes: (nodes?.items ?? []).map(nodeOf),
    apiServers: apiServerVersions(apiServers?.items ?? []),
    etcdProblems,
    budgets: (budgets?.items ?? []).map(({ metadata, status }) => ({
      name: `${metadata.namespace}/${metadata.name}`,
      allowed: status.disruptionsAllowed ?? 0,
      pods: status.currentHealthy ?? 0,
    })),
    kubeEdgeVersion: parseClusterFacts(facts?.data?.[FACTS_KEY])?.kubeEdgeVersion,
    loosePods: (own?.items ?? [])
      .filter(isLoose)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  }
}

export function apiServerVersions(pods: readonly PodObject[]): Map<string, string> {
  return new Map(
    pods.flatMap(({ spec }) => {
      const image = spec.containers.find(({ name }) => name === 'kube-apiserver')?.image
      const version = image?.split(':').at(-1)
      return spec.nodeName === undefined || version === undefined ? [] : [[spec.nodeName, version] as const]
    }),
  )
}

/** A Pod that a drain would end for good. */
export function isLoose({ metadata, status }: PodObject): boolean {
  if (metadata.annotations?.[MIRROR] !== undefined) return false
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return false
  return !(metadata.ownerReferences ?? []).some(({ controller }) => controller === true)
}

/** Whether a drain leaves it where it is: a static Pod's mirror, a DaemonSet's, or one that has ended. */
export function staysInDrain({ metadata, status }: PodObject): boolean {
  return (
    metadata.annotations?.[MIRROR] !== undefined ||
    status.phase === 'Succeeded' ||
    status.phase === 'Failed' ||
    (metadata.ownerReferences ?? []).some(
      ({ kind, controller }) => controller === true && kind === 'DaemonSet',
    )
  )
}

function nodeOf({ metadata, spec, status }: NodeObject): ClusterNode {
  const labels = metadata.labels ?? {}
  const role =
    'node-role.kubernetes.io/control-plane' in labels
      ? 'master'
      : 'node-role.kubernetes.io/edge' in labels
        ? 'edge'
        : 'worker'
  return {
    name: metadata.name,
    role,
    ready: status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
    schedulable: spec.unschedulable !== true,
    version: status.nodeInfo.kubeletVersion,
    images: (status.images ?? []).flatMap(({ names }) => names ?? []),
  }
}

async function etcdState(host: Look): Promise<string[]> {
  const etcd = await stackedEtcd(host)
  if (etcd === undefined) return []
  if (etcd.members.length === 0) return ['etcd does not answer on this master']
  const learners = etcd.members.filter(({ isLearner }) => isLearner)
  const { unhealthy } = await healthOf(etcd.members, etcd.credentials)
  return [
    ...unhealthy.map(
      ({ member, problem }) => `etcd's member ${member.name || 'without a name'} is not healthy: ${problem}`,
    ),
    ...learners.map(
      ({ name, peerUrls }) =>
        `etcd's member ${name || peerUrls[0]} is a learner that never finished its join`,
    ),
  ]
}
