import { parse } from 'yaml'
import { hostOf } from '../config/names.ts'
import type { JoinSettings } from '../config/types.ts'
import type { Look } from '../host/host.ts'

/**
 * The settings with the address from which this machine reaches the cluster, unless the user named one. The one of the
 * default route, which configurations begin with, is wrong where that route leads elsewhere (a NAT card that has the same
 * address on every machine) and is missing where there is none.
 */
export async function withSourceAddress(host: Look, settings: JoinSettings): Promise<JoinSettings> {
  if (settings.node.isAddressGiven) return settings
  const target = await targetOf(host, settings)
  const source = target === undefined ? undefined : await sourceTowards(host, target)
  if (source === undefined) return settings
  const { controlPlane } = settings
  return {
    ...settings,
    node: { ...settings.node, address: source, kubeletAddress: source },
    controlPlane: controlPlane && { ...controlPlane, advertiseAddress: source },
  }
}

/** What the node will speak to: an edge node to CloudCore, others to the API server. Undefined: not known before it is asked. */
async function targetOf(host: Look, settings: JoinSettings): Promise<string | undefined> {
  const { discovery, edge } = settings
  if (settings.role === 'edge' && edge.cloudAddresses[0] !== undefined) return edge.cloudAddresses[0]
  if (discovery.kind === 'token') return hostOf(discovery.endpoint)
  if (discovery.kind === 'ticket') return discovery.ticket.facts.cloudAddresses[0]
  if (discovery.path.startsWith('https://')) return undefined
  const server = serverOf((await host.readFile(discovery.path)) ?? '')
  return server === undefined ? undefined : new URL(server).hostname.replace(/^\[|\]$/g, '')
}

/** Of a kubeconfig; what is wrong with it is told by discovery. */
function serverOf(kubeconfig: string): string | undefined {
  try {
    const clusters = (parse(kubeconfig) as { clusters?: { cluster?: { server?: unknown } }[] } | null)
      ?.clusters
    const server = clusters?.[0]?.cluster?.server
    return typeof server === 'string' && URL.canParse(server) ? server : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined if the name has no address or there is no route: discovery says so */
async function sourceTowards(host: Look, target: string): Promise<string | undefined> {
  const addresses = await host.probe('getent', ['ahosts', target])
  const address = addresses.stdout.split(/\s+/)[0] || target
  const route = await host.probe('ip', ['-json', 'route', 'get', address])
  if (route.exitCode !== 0 || route.stdout.trim() === '') return undefined
  return (JSON.parse(route.stdout) as { prefsrc?: string }[])[0]?.prefsrc
}
