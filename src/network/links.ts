/** Network interfaces and network namespaces that Pods and their network leave. */

import type { Look } from '../host/host.ts'

export interface Link {
  readonly name: string
  /** `veth`, `bridge`, `vxlan`, …; undefined for a device without a kind. */
  readonly kind: string | undefined
  /** The bridge it is a port of. */
  readonly master: string | undefined
}

/** CNI's bridge, flannel's VXLAN devices, kube-proxy's device for IPVS, EdgeMesh's bridge, which it leaves when it ends. */
const OWN_LINKS = /^(cni0|flannel\.\d+|flannel-v6\.\d+|kube-ipvs0|edgemesh0)$/
/** containerd's names for the namespaces of Pods (pkg/netns); `ip netns` and others use their own. */
const POD_NAMESPACE = /^cni-[0-9a-f-]{36}$/

export const NAMESPACES = '/run/netns'

interface IpLink {
  readonly ifname: string
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string }
}

export async function links(host: Look): Promise<Link[]> {
  const output = await host.probe('ip', ['-details', '-json', 'link', 'show'])
  return output.exitCode === 0 ? parseLinks(output.stdout) : []
}

/** @param json what `ip -details -json link show` prints */
export function parseLinks(json: string): Link[] {
  return (JSON.parse(json || '[]') as IpLink[]).map(({ ifname, master, linkinfo }) => ({
    name: ifname,
    kind: linkinfo?.info_kind,
    master,
  }))
}

export async function linkNames(host: Look): Promise<string[]> {
  return (await links(host)).map(({ name }) => name)
}

export async function namespaceNames(host: Look): Promise<string[]> {
  return host.list(NAMESPACES)
}

/** What Kubernetes' network left, of what was not there before: ports of its bridge first, then the devices. */
export function leftoverLinks(all: readonly Link[], before: readonly string[]): Link[] {
  const isNew = ({ name }: Link): boolean => !before.includes(name)
  const own = all.filter((link) => OWN_LINKS.test(link.name) && isNew(link))
  const ports = all.filter(
    (link) => link.kind === 'veth' && isNew(link) && own.some(({ name }) => name === link.master),
  )
  return [...ports, ...own]
}

export function leftoverNamespaces(all: readonly string[], before: readonly string[]): string[] {
  return all.filter((name) => POD_NAMESPACE.test(name) && !before.includes(name))
}
