/** `edgeadm status`: what a cluster consists of, asked of its API server. */

import type { Look } from '../host/host.ts'
import { cloudCertificates, expiryWarnings, type Secret } from '../kubeedge/cloud-certificates.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../kubeedge/cluster-facts.ts'
import { KUBECTL, kubectl, kubectlGet } from '../kubernetes/kubectl.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { table } from '../output/table.ts'
import { ADMIN_CONF } from '../phases/context.ts'
import { type DaemonSet, networksOnEdges } from '../phases/edge/affinity.ts'
import { EDGE_LABEL } from '../superedge/paths.ts'
import { type MasterStatus, masterStatus } from './master-status.ts'
import { readOnlyHost } from './prerequisites.ts'
import { problemsOf } from './status-problems.ts'

export interface NodeStatus {
  readonly name: string
  readonly roles: readonly string[]
  readonly ready: boolean
  /** Why it is not Ready. */
  readonly reason: string
  readonly version: string
  readonly address: string
  /** Seconds since the node last renewed its lease; undefined: never. */
  readonly seen: number | undefined
}

export interface PartStatus {
  readonly name: string
  readonly image: string
  readonly wanted: number
  readonly ready: number
}

export const STATUS_SCHEMA = 'edgeadm.io/status/v1alpha1'

export interface ClusterStatus {
  readonly schema: typeof STATUS_SCHEMA
  readonly kubernetesVersion: string
  /** Undefined: the cluster has no cloud side for edge nodes. */
  readonly edge: { readonly kubeEdgeVersion: string; readonly cloudAddresses: readonly string[] } | undefined
  readonly nodes: readonly NodeStatus[]
  readonly parts: readonly PartStatus[]
  /** What should be done soon, one sentence each. */
  readonly warnings: readonly string[]
  /** Undefined: asked elsewhere than on a master, or without root's rights. */
  readonly master: MasterStatus | undefined
  /** What needs hands; empty: nothing. */
  readonly problems: readonly string[]
}

interface List<T> {
  readonly items: readonly T[]
}

interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly status: {
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[]
    readonly addresses?: readonly { type: string; address: string }[]
    readonly nodeInfo: { readonly kubeletVersion: string }
  }
}

interface Lease {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly renewTime?: string }
}

/** A DaemonSet or a Deployment. */
interface Workload {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } }
  }
  readonly status: {
    readonly desiredNumberScheduled?: number
    readonly numberReady?: number
    readonly replicas?: number
    readonly readyReplicas?: number
  }
}

const ROLE = 'node-role.kubernetes.io/'

/** @throws EdgeadmError class `preflight` without credentials; `phase` if the API server does not answer */
export async function clusterStatus(
  kubeconfig: string | undefined,
  reporting: Reporting,
): Promise<ClusterStatus> {
  const host = readOnlyHost(reporting)
  const path = kubeconfig ?? ADMIN_CONF
  if ((await host.stat(path)) === undefined)
    throw new EdgeadmError('preflight', `there is no ${path} on this machine`, {
      fix: 'run it on a master, or name credentials with --kubeconfig; on an edge node `edgeadm check edge` tells its state',
    })
  const get = <T>(args: readonly string[]) => kubectlGet<T>(host, args, { kubeconfig: path })
  const [nodes, leases, workloads, daemonSets, facts, secrets] = await Promise.all([
    get<List<NodeObject>>(['nodes']),
    get<List<Lease>>(['leases', '-n', 'kube-node-lease']),
    get<List<Workload>>(['daemonsets,deployments', '-n', NAMESPACE]),
    get<List<DaemonSet>>(['daemonsets', '--all-namespaces']),
    get<{ data?: Record<string, string> }>(['configmap', FACTS_CONFIG_MAP, '-n', NAMESPACE]),
    cloudSecrets(host, path),
  ])
  const edge = parseClusterFacts(facts?.data?.[FACTS_KEY])
  const renewed = new Map((leases?.items ?? []).map(({ metadata, spec }) => [metadata.name, spec.renewTime]))
  const nodeList = (nodes?.items ?? []).map((node) => nodeStatus(node, renewed.get(node.metadata.name)))
  const isMaster = process.getuid?.() === 0 && (await host.stat(ADMIN_CONF)) !== undefined
  const status: ClusterStatus = {
    schema: STATUS_SCHEMA,
    kubernetesVersion: await serverVersion(host, path),
    edge: edge && { kubeEdgeVersion: edge.kubeEdgeVersion, cloudAddresses: edge.cloudAddresses },
    nodes: nodeList,
    parts: (workloads?.items ?? []).map(({ metadata, spec, status: { desiredNumberScheduled, ...now } }) => ({
      name: metadata.name,
      image: spec.template.spec.containers[0]?.image ?? '',
      wanted: desiredNumberScheduled ?? now.replicas ?? 0,
      ready: now.numberReady ?? now.readyReplicas ?? 0,
    })),
    warnings: [
      ...expiryWarnings(cloudCertificates(secrets)),
      ...(edge === undefined ? [] : networksOnEdges(daemonSets?.items ?? []).map(onEdges)),
    ],
    master: isMaster ? await masterStatus(host, nodeList, reporting) : undefined,
    problems: [],
  }
  return { ...status, problems: problemsOf(status) }
}

/** After an upgrade by kubeadm, or with a Pod network that came later. */
const onEdges = ({ metadata }: DaemonSet) =>
  `${metadata.namespace}/${metadata.name} may run on edge nodes, where it hangs whenever the cloud is away: \`edgeadm init phase edge/affinity\` keeps it off`

/** Credentials that may not read Secrets learn the rest. */
async function cloudSecrets(host: Look, kubeconfig: string): Promise<readonly Secret[]> {
  const options = { kubeconfig, namespace: NAMESPACE }
  const may = await kubectl(host, ['auth', 'can-i', 'get', 'secrets', '--quiet'], options)
  if (may.exitCode !== 0) return []
  return (await kubectlGet<List<Secret>>(host, ['secrets'], options))?.items ?? []
}

async function serverVersion(host: Look, kubeconfig: string): Promise<string> {
  const { stdout } = await host.probe(KUBECTL, ['--kubeconfig', kubeconfig, 'version', '-o', 'json'])
  const answer = JSON.parse(stdout || '{}') as { serverVersion?: { gitVersion?: string } }
  return answer.serverVersion?.gitVersion ?? 'unknown'
}

function nodeStatus({ metadata, status }: NodeObject, renewed: string | undefined): NodeStatus {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const roles = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(ROLE))
    .map((label) => label.slice(ROLE.length))
    .concat(metadata.labels?.[EDGE_LABEL] === undefined ? [] : ['superedge'])
    .sort()
  return {
    name: metadata.name,
    roles,
    ready: ready?.status === 'True',
    reason: ready?.status === 'True' ? '' : `${ready?.reason ?? ''} ${ready?.message ?? ''}`.trim(),
    version: status.nodeInfo.kubeletVersion,
    address: status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
    seen:
      renewed === undefined ? undefined : Math.max(0, Math.round((Date.now() - Date.parse(renewed)) / 1000)),
  }
}

export function statusText({ kubernetesVersion, edge, nodes, parts, master }: ClusterStatus): string {
  const head = [`Kubernetes ${kubernetesVersion}`]
  head.push(
    edge === undefined
      ? 'no cloud side for edge nodes'
      : `KubeEdge ${edge.kubeEdgeVersion} at ${edge.cloudAddresses.join(', ')}`,
  )
  const rows = nodes.map(({ name, roles, ready, reason, version, address, seen }) => [
    name,
    roles.join(',') || 'worker',
    ready ? 'Ready' : 'NotReady',
    address,
    version,
    seen === undefined ? 'never' : `${seen} s ago`,
    reason,
  ])
  const partRows = parts.map(({ name, image, wanted, ready }) => [name, `${ready}/${wanted}`, image])
  return [
    head.join(', '),
    '',
    ...table([['NODE', 'ROLES', 'STATE', 'ADDRESS', 'VERSION', 'SEEN', ''], ...rows]),
    ...(partRows.length === 0 ? [] : ['', ...table([['EDGE PART', 'READY', 'IMAGE'], ...partRows])]),
    ...(master === undefined ? [] : ['', ...masterLines(master)]),
  ].join('\n')
}

function masterLines({ etcd, virtualAddress, certificates, lastBackup, drift }: MasterStatus): string[] {
  const leaves = certificates.filter(({ isCa }) => !isCa)
  const first = leaves.reduce<(typeof leaves)[number] | undefined>(
    (soonest, one) => (soonest === undefined || one.notAfter < soonest.notAfter ? one : soonest),
    undefined,
  )
  const lines = [
    ...(etcd === undefined
      ? []
      : [
          `etcd: ${etcd.members.filter(({ problem }) => problem === null).length} of ${etcd.members.length} members healthy, ${Math.max(0, etcd.spare)} may be lost`,
        ]),
    ...(virtualAddress === undefined
      ? []
      : [`virtual address: ${virtualAddress.address}, held by ${virtualAddress.holder ?? 'nobody'}`]),
    ...(first === undefined
      ? []
      : [
          `certificates: the first one ends on ${first.notAfter.slice(0, 10)} (${first.name}, ${first.node ?? 'cluster'})`,
        ]),
    `last backup: ${lastBackup === undefined ? 'none (`edgeadm backup create`)' : `${lastBackup.time}, ${lastBackup.path}`}`,
    `drift: ${drift === 0 ? 'none' : `${drift} (\`edgeadm status --drift\`)`}`,
  ]
  return lines
}
