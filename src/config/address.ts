import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { POD_INTERFACES } from './networks.ts'
import type { HostFacts, NetworkInterface } from './types.ts'

/** Neither loopback, link-local, multicast nor unspecified: what Go calls a global unicast address. */
export function isGlobalUnicast(address: string): boolean {
  if (isIP(address) === 0) return false
  const range = ipaddr.parse(address).range()
  return !['loopback', 'linkLocal', 'multicast', 'unspecified', 'broadcast'].includes(range)
}

const firstGlobal = (one: NetworkInterface, family: 4 | 6) =>
  one.addresses.find((address) => address.family === family && isGlobalUnicast(address.address))?.address

/**
 * The address under which others reach this machine, found as kubeadm finds it: the first global address of the interface
 * that carries the default route, IPv4 before IPv6; if that interface has none (RFC 5549), one of the loopback interface.
 * Where there is no default route (an air-gapped site), kubeadm gives up; here the first interface with a global address counts.
 * @returns undefined if the machine has no such address
 */
export function detectAdvertiseAddress(facts: HostFacts): string | undefined {
  const up = facts.interfaces.filter((one) => one.up)
  const byName = new Map(up.map((one) => [one.name, one]))
  const loopback = up.find((one) => one.loopback)
  for (const family of [4, 6] as const) {
    const defaults = facts.routes
      .filter((route) => route.destination === 'default' && route.family === family)
      .toSorted((one, other) => one.metric - other.metric)
    for (const route of defaults) {
      const carrier = byName.get(route.interface)
      const address = carrier && (firstGlobal(carrier, family) ?? (loopback && firstGlobal(loopback, family)))
      if (address) return address
    }
  }
  const candidates = up.filter((one) => !one.loopback && !isVirtual(one.name))
  for (const family of [4, 6] as const) {
    for (const one of candidates) {
      const address = firstGlobal(one, family)
      if (address) return address
    }
  }
  return undefined
}

/** Bridges of container engines and what a CNI makes: their addresses are of this machine alone. */
function isVirtual(name: string): boolean {
  return POD_INTERFACES.test(name) || /^(docker|br-|virbr|podman|nerdctl|lxdbr|tailscale|tun|tap)/.test(name)
}
