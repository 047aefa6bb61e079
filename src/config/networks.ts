/** Pod, service and node networks: kubeadm's checks of each, and the one it lacks: that they do not overlap. */

import ipaddr from 'ipaddr.js'
import type { HostFacts } from './types.ts'

export interface Network {
  readonly text: string
  readonly family: 4 | 6
  readonly prefixLength: number
  readonly bytes: readonly number[]
}

export interface NetworkRules {
  /** Fewest addresses in each range. */
  readonly minimumAddresses: number
  /** Most host bits in each range; undefined: no limit. */
  readonly maximumBits?: number
}

/** kubeadm's constants (cmd/kubeadm/app/constants). */
export const POD_NETWORK_RULES: NetworkRules = { minimumAddresses: 14 }
export const SERVICE_NETWORK_RULES: NetworkRules = { minimumAddresses: 10, maximumBits: 20 }

/** Interfaces that a CNI or an edge runtime makes: after a first run they lie in the Pod network and are no node network. */
const POD_INTERFACES = /^(cni|flannel|cali|cilium|lxc|veth|kube-|edge-dummy|edgemesh|vxlan\.)/

function parseNetwork(text: string): Network | undefined {
  if (!/^[\d.]+\/\d+$|^[\da-fA-F:.]+\/\d+$/.test(text)) return undefined
  try {
    const [address, prefixLength] = ipaddr.parseCIDR(text)
    if (address.kind() === 'ipv4' && !/^\d+\.\d+\.\d+\.\d+\//.test(text)) return undefined
    return { text, family: address.kind() === 'ipv4' ? 4 : 6, prefixLength, bytes: address.toByteArray() }
  } catch {
    return undefined
  }
}

/** One CIDR, or one of each family with a comma between. @returns the networks, or sentences */
export function parseNetworks(
  text: string,
  rules: NetworkRules,
): { networks: Network[]; problems: string[] } {
  const networks = text.split(',').map(parseNetwork)
  if (networks.some((network) => network === undefined))
    return {
      networks: [],
      problems: [`invalid value "${text}": couldn't parse subnet; a CIDR looks like 10.244.0.0/16`],
    }
  const parsed = networks as Network[]
  if (parsed.length > 2 || (parsed.length === 2 && parsed[0]?.family === parsed[1]?.family))
    return {
      networks: [],
      problems: [
        `invalid value "${text}": expected one (IPv4 or IPv6) CIDR or two CIDRs from each family for dual-stack networking`,
      ],
    }
  const problems = parsed.flatMap((network) => {
    const width = network.family === 4 ? 32 : 128
    const bits = width - network.prefixLength
    if (2 ** bits < rules.minimumAddresses)
      return [
        `invalid value "${network.text}": subnet with ${2 ** bits} address(es) is too small, the minimum is ${rules.minimumAddresses}`,
      ]
    if (rules.maximumBits !== undefined && bits > rules.maximumBits)
      return [
        `invalid value "${network.text}": specified service subnet is too large; for ${width}-bit addresses, the mask must be >= ${width - rules.maximumBits}`,
      ]
    return []
  })
  return { networks: parsed, problems }
}

/** kubeadm: each node gets a /24 (IPv4) or /64 (IPv6) of the Pod network, and at most 2^16 of them fit. */
export function nodeMaskProblem(
  network: Network,
  nodeMask = network.family === 4 ? 24 : 64,
): string | undefined {
  if (network.prefixLength > nodeMask)
    return `invalid value "${network.text}": the size of pod subnet with mask ${network.prefixLength} is smaller than the size of node subnet with mask ${nodeMask}`
  if (nodeMask - network.prefixLength > 16)
    return `invalid value "${network.text}": pod subnet mask (${network.prefixLength}) and node-mask (${nodeMask}) difference is greater than 16`
  return undefined
}

export function overlap(one: Network, other: Network): boolean {
  if (one.family !== other.family) return false
  const bits = Math.min(one.prefixLength, other.prefixLength)
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit & 7)
    if (((one.bytes[bit >> 3] as number) & mask) !== ((other.bytes[bit >> 3] as number) & mask)) return false
  }
  return true
}

/** The networks that this machine's interfaces stand in, with the interface's name. */
export function nodeNetworks(facts: HostFacts): { readonly interface: string; readonly network: Network }[] {
  return facts.interfaces
    .filter((one) => one.up && !one.loopback && !POD_INTERFACES.test(one.name))
    .flatMap((one) =>
      one.addresses.flatMap((address) => {
        const network = parseNetwork(`${address.address}/${address.prefixLength}`)
        const linkLocal = /^(fe80:|169\.254\.)/i.test(address.address)
        return network && !linkLocal ? [{ interface: one.name, network }] : []
      }),
    )
}

export { POD_INTERFACES }
