/** Which combinations of IPv4 and IPv6 edgeadm makes: one family in a cluster, and IPv4 where there are edge nodes or a virtual address. */

import { isIP } from 'node:net'
import { hostOf } from './names.ts'
import type { Problems } from './problems.ts'
import type { InitSettings, JoinSettings } from './types.ts'

/** Where each value came from, for the messages. */
export interface Places {
  readonly pod: string
  readonly service: string
}

const familyOf = (text: string): 4 | 6 => (text.includes(':') ? 6 : 4)

export function checkInitFamilies(
  problems: Problems,
  settings: InitSettings,
  { pod, service }: Places,
): void {
  const { podSubnet, serviceSubnet, advertiseAddress, node } = settings
  for (const [where, subnet] of [
    [pod, podSubnet],
    [service, serviceSubnet],
  ] as const)
    if (subnet?.includes(','))
      problems.add(where, 'dual-stack clusters are not supported: name one network, IPv4 or IPv6')
  checkNodeAddress(problems, node)
  // Problems of each value for itself come first.
  if (problems.found.length > 0) return
  const named = [podSubnet, serviceSubnet, advertiseAddress].filter((text) => text !== undefined)
  if (new Set(named.map(familyOf)).size > 1)
    problems.add(
      '',
      `IPv4 and IPv6 are mixed: the Pod network is ${podSubnet ?? 'not named'}, the Service network ${serviceSubnet}, this master's address ${advertiseAddress}; give all three in one family, with --pod-network-cidr, --service-cidr and --apiserver-advertise-address`,
    )
  else if (familyOf(advertiseAddress) === 6) {
    if (settings.cloudSide)
      problems.add('--enable-edge', 'edge nodes are not supported in an IPv6 cluster: --enable-edge=false')
    if (settings.ha.mode === 'haproxy-keepalived')
      problems.add('--ha=haproxy-keepalived', 'is not supported in an IPv6 cluster; --ha=external is')
  }
}

export function checkJoinFamilies(problems: Problems, settings: JoinSettings): void {
  checkNodeAddress(problems, settings.node)
  if (settings.role !== 'edge') return
  const { discovery } = settings
  const cloud = discovery.kind === 'token' ? hostOf(discovery.endpoint) : ''
  if (isIP(cloud) === 6)
    problems.add('', `edge nodes are not supported in an IPv6 cluster, and ${cloud} is an IPv6 address`)
}

function checkNodeAddress(problems: Problems, { kubeletAddress }: InitSettings['node']): void {
  if (kubeletAddress?.includes(','))
    problems.add('--node-ip', 'dual-stack clusters are not supported: name one address')
}
