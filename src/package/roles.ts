/** What each role of a machine needs of a package. An edge node is one that runs edgecore. */

export const ROLES = ['master', 'worker', 'edge'] as const
export type PackageRole = (typeof ROLES)[number]

/** Images that run on masters only; on another node they would take time and disk for nothing. */
const MASTERS_ONLY =
  /\/(kube-apiserver|kube-controller-manager|kube-scheduler|etcd|haproxy|keepalived|cloudcore|iptables-manager(-nft)?):/

/** Everything that an edge node runs: no kube-proxy, no flannel, no CoreDNS. */
const EDGES_TOO = /\/(pause|edgemesh-agent|edgemesh-gateway):/

/** Programs of the package that are an edge node's alone. */
const EDGE_PROGRAMS = ['bin/edgecore']

/** @param name full: `registry.k8s.io/pause:3.10` */
export function roleRunsImage(role: PackageRole, name: string): boolean {
  if (role === 'edge') return EDGES_TOO.test(name)
  return role === 'master' || !MASTERS_ONLY.test(name)
}

/** @param path in the package: `bin/kubelet` */
export function roleNeedsFile(role: PackageRole, path: string): boolean {
  return !path.startsWith('bin/') || EDGE_PROGRAMS.includes(path) === (role === 'edge')
}
