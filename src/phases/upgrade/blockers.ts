/** What stands in the way of an upgrade. Only looks at what was gathered: no question is asked here. */

import { compareVersions, isAtLeast, parseVersion } from '../../config/versions.ts'
import { checkPair } from '../../kubeedge/versions.ts'
import type { PackageManifest } from '../../package/index.ts'
import type { Problem } from '../problem.ts'
import type { ClusterNode, ClusterState } from './cluster.ts'

/** A kubelet may be this many minors older than the API server. Source: https://kubernetes.io/releases/version-skew-policy/ */
const SKEW = 3
/** etcd 3.6 takes over members of 3.5 without falling back to learners only from this release on (etcd#19557, website#1095). */
const ETCD_FLOOR = 'v3.5.24'

export interface Machine {
  readonly nodeName: string
  readonly hasCgroup2: boolean
  /** Whether the cluster's KubeletConfiguration says `failCgroupV1: false`. */
  readonly allowsCgroup1: boolean
  /** Of etcd's static Pod, with "v"; undefined: no etcd here. */
  readonly etcdVersion: string | undefined
  /** Foreign files in the folder of static Pods, which make kubeadm wait in vain. */
  readonly strayManifests: readonly string[]
  /** Unified diffs of static Pods against what kubeadm would write for the version that runs. */
  readonly manualEdits: string
  /** Certificates that end within thirty days or have ended, one sentence each. */
  readonly certificates: readonly string[]
  /** Bytes, free where edgeadm and where etcd keep their data; undefined: not known. */
  readonly free: { readonly state: number | undefined; readonly etcd: number | undefined }
  /** Bytes of etcd's data. */
  readonly etcdSize: number
}

const error = (check: string, text: string): Problem => ({ check, severity: 'error', text })
const warning = (check: string, text: string): Problem => ({ check, severity: 'warning', text })

/** The way in single minors, from the one that runs to the wanted one: what each step needs is a package of its own. */
export function chainOf(from: string, to: string): string[] {
  const [a, b] = [parseVersion(from), parseVersion(to)]
  if (a === undefined || b === undefined) return []
  return Array.from({ length: Math.max(0, b.minor - a.minor - 1) }, (_, index) => `1.${a.minor + 1 + index}`)
}

/** The step itself: one minor up, or patches of the same one. */
export function stepProblems(from: string, to: string): Problem[] {
  const [a, b] = [parseVersion(from), parseVersion(to)]
  if (a === undefined || b === undefined)
    return [error('Version', `cannot tell what is between Kubernetes ${from || '(unknown)'} and ${to}`)]
  if (compareVersions(to, from) < 0)
    return [
      error(
        'Version',
        `the package has Kubernetes ${to}, older than the cluster's ${from}: Kubernetes does not go back; use a newer package`,
      ),
    ]
  const between = chainOf(from, to)
  if (a.major === b.major && between.length === 0) return []
  return [
    error(
      'Version',
      `the package has Kubernetes ${to}, and the cluster runs ${from}: one minor version at a time; go through ${between.join(', ')} first, with a package of each`,
    ),
  ]
}

/** All of it at once, as the checks of init and join. */
export function blockers(
  cluster: ClusterState,
  machine: Machine,
  manifest: Pick<PackageManifest, 'kubernetesVersion' | 'images'>,
): Problem[] {
  const to = manifest.kubernetesVersion
  const running = [...cluster.apiServers.values()]
  const oldest = running.toSorted(compareVersions)[0] ?? cluster.version
  return [
    ...stepProblems(oldest, to),
    ...skew(cluster.nodes, to),
    ...pair(cluster, to),
    ...cluster.etcdProblems.map((text) => error('EtcdHealth', text)),
    ...etcdFloor(machine, manifest.images),
    ...nodesReady(cluster.nodes),
    ...imagesOnNodes(cluster.nodes, machine.nodeName, manifest.images),
    ...cgroup(machine, to),
    ...machine.strayManifests.map((path) =>
      error(
        'StaticPods',
        `${path} is no static Pod of kubeadm: the kubelet runs whatever lies there; move it elsewhere`,
      ),
    ),
    ...(machine.manualEdits === ''
      ? []
      : [
          error(
            'ManualEdits',
            `static Pods of this master were edited by hand, and kubeadm writes them anew: keep the changes as files for --patches DIRECTORY, or give --yes to lose them\n${machine.manualEdits}`,
          ),
        ]),
    ...disruption(cluster),
    ...machine.certificates.map((text) => warning('Certificates', text)),
    ...disk(machine),
  ]
}

function skew(nodes: readonly ClusterNode[], to: string): Problem[] {
  const target = parseVersion(to)
  return nodes.flatMap(({ name, role, version }) => {
    const own = parseVersion(version)
    if (own === undefined || target === undefined || target.minor - own.minor <= SKEW) return []
    const how =
      role === 'edge'
        ? `no released KubeEdge has a newer kubelet: stay below this version, or take the node out`
        : 'upgrade it first'
    return [
      error(
        'KubeletVersion',
        `${role} node ${name} runs ${version}, and a kubelet may be ${SKEW} minor versions older than Kubernetes ${to}, not more: ${how}`,
      ),
    ]
  })
}

function pair({ kubeEdgeVersion }: ClusterState, to: string): Problem[] {
  if (kubeEdgeVersion === undefined) return []
  const verdict = checkPair(kubeEdgeVersion, to)
  if (verdict.state === 'good') return []
  return [(verdict.state === 'refused' ? error : warning)('KubeEdgeVersion', verdict.reason)]
}

function etcdFloor({ etcdVersion }: Machine, images: PackageManifest['images']): Problem[] {
  const next = images
    .map(({ name }) => /\/etcd:v?(\d\S*?)(?:-\d+)?$/.exec(name)?.[1])
    .find((one) => one !== undefined)
  if (etcdVersion === undefined || next === undefined) return []
  if (!next.startsWith('3.6.') || !etcdVersion.startsWith('v3.5.')) return []
  if (compareVersions(etcdVersion, ETCD_FLOOR) >= 0) return []
  return [
    error(
      'EtcdVersion',
      `etcd is ${etcdVersion}, and its members can get lost on the way to ${next}: upgrade to a Kubernetes with etcd ${ETCD_FLOOR} first`,
    ),
  ]
}

function nodesReady(nodes: readonly ClusterNode[]): Problem[] {
  return nodes.flatMap(({ name, role, ready, schedulable }) => {
    if (!ready && role === 'edge')
      return [
        warning(
          'NodesReady',
          `edge node ${name} is not connected: it stays as it is, and can be upgraded later`,
        ),
      ]
    if (!ready)
      return [
        error(
          'NodesReady',
          `${role} node ${name} is not Ready: mend it, or take it out with \`edgeadm reset --remove-node ${name}\``,
        ),
      ]
    return schedulable ? [] : [warning('NodesReady', `node ${name} is cordoned, and stays so`)]
  })
}

/** kubeadm starts a Pod on any node, and kube-proxy and CoreDNS change on all of them, before those have the package. */
export const EVERYWHERE = /\/(pause|kube-proxy|coredns|flannel):/

export function imagesOnNodes(
  nodes: readonly ClusterNode[],
  nodeName: string,
  images: PackageManifest['images'],
): Problem[] {
  const needed = images.map(({ name }) => name).filter((name) => EVERYWHERE.test(name))
  return nodes.flatMap(({ name, role, ready, images: present }) => {
    if (role === 'edge' || !ready || name === nodeName) return []
    const missing = needed.filter((image) => !present.includes(image))
    if (missing.length === 0) return []
    return [
      error(
        'NodeImages',
        `node ${name} does not have ${missing.join(', ')}: run \`edgeadm upgrade images --install-pkg-path …\` there first (with a registry that it can reach: --ignore-preflight-errors=NodeImages)`,
      ),
    ]
  })
}

function cgroup({ hasCgroup2, allowsCgroup1 }: Machine, to: string): Problem[] {
  if (hasCgroup2 || allowsCgroup1 || !isAtLeast(to, 35)) return []
  return [
    error(
      'SystemVerification',
      `the kubelet of Kubernetes ${to} needs control groups version 2, and this machine has version 1: boot with systemd.unified_cgroup_hierarchy=1, or set failCgroupV1: false in ConfigMap kube-system/kubelet-config, which works until a later version drops it`,
    ),
  ]
}

function disruption({ budgets, loosePods }: ClusterState): Problem[] {
  return [
    ...budgets
      .filter(({ allowed, pods }) => allowed === 0 && pods > 0)
      .map(({ name }) =>
        warning(
          'PodDisruptionBudget',
          `PodDisruptionBudget ${name} allows no disruption now: a drain waits for it until --drain-timeout`,
        ),
      ),
    ...loosePods.map((name) =>
      error(
        'LoosePods',
        `Pod ${name} has no controller, so a drain would end it for good: delete it, or give --drain=false`,
      ),
    ),
  ]
}

function disk({ free, etcdSize }: Machine): Problem[] {
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`
  // The snapshot here, and kubeadm's own copy of the data beside its manifests.
  const wanted = 2 * etcdSize
  return Object.entries({ '/var/lib/edgeadm': free.state, '/var/lib/etcd': free.etcd }).flatMap(
    ([path, bytes]) =>
      bytes === undefined || bytes >= wanted
        ? []
        : [
            error(
              'DiskSpace',
              `the copies of etcd take ${mebibytes(wanted)}, and the file system of ${path} has ${mebibytes(bytes)} left`,
            ),
          ],
  )
}
