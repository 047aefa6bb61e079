/** What each role of a machine needs of a package. An edge node is one that runs edgecore. */

import type { PackageFile, PackageManifest } from './manifest.ts'

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

const BLOBS = 'images/blobs/sha256/'

/**
 * Which files of a package a machine of a role has to unpack: an edge node has little space, and needs a tenth of it. Of a package
 * that does not tell which blob belongs to which image all blobs are needed.
 */
export function filesOfRole(manifest: PackageManifest, role: PackageRole): (file: PackageFile) => boolean {
  const known = manifest.images.every(({ blobs }) => blobs !== undefined)
  const wanted = manifest.images.filter(({ name }) => roleRunsImage(role, name))
  const digests = new Set(wanted.flatMap(({ blobs = [] }) => blobs))
  return ({ path }) => {
    if (!known || !path.startsWith(BLOBS)) return roleNeedsFile(role, path)
    return digests.has(`sha256:${path.slice(BLOBS.length)}`)
  }
}
