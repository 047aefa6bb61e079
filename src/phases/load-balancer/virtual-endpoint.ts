import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseHostPort } from '../../config/names.ts'
import type { Look } from '../../host/host.ts'
import { EdgeadmError } from '../../output/errors.ts'

/** What all masters of a cluster share of their load balancer. */
export interface VirtualEndpoint {
  /** The virtual IP address. */
  readonly address: string
  /** Of haproxy. */
  readonly port: number
  /** Undefined: not chosen yet. */
  readonly virtualRouterId: number | undefined
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>
}

/** What templates/load-balancer/cluster.yaml stored. Undefined for a cluster without a balancer of edgeadm's. */
export function endpointFromCluster(configMap: ConfigMap | undefined): VirtualEndpoint | undefined {
  const { virtualAddress, port, virtualRouterId } = configMap?.data ?? {}
  if (virtualAddress === undefined) return undefined
  return { address: virtualAddress, port: Number(port), virtualRouterId: Number(virtualRouterId) }
}

/**
 * Of `--control-plane-endpoint`. A name stands for the one address that it resolves to.
 * @throws EdgeadmError class `preflight` if it resolves to none or several
 */
export async function endpointFromText(
  host: Look,
  text: string,
): Promise<Pick<VirtualEndpoint, 'address' | 'port'>> {
  const parsed = parseHostPort(text)
  if (typeof parsed === 'string') throw new EdgeadmError('usage', `--control-plane-endpoint: ${parsed}`)
  const port = parsed.port ?? 8443
  // As the kernel writes it, since what it lists is compared with it.
  if (isIP(parsed.host) === 6) return { address: ipaddr.IPv6.parse(parsed.host).toRFC5952String(), port }
  if (isIP(parsed.host) === 4) return { address: parsed.host, port }
  const { stdout } = await host.probe('getent', ['ahosts', parsed.host])
  const addresses = [...new Set(stdout.split('\n').flatMap((line) => line.split(/\s+/)[0] || []))]
  const [address] = addresses
  if (address !== undefined && addresses.length === 1) return { address, port }
  throw new EdgeadmError(
    'preflight',
    address === undefined
      ? `the name ${parsed.host} of --control-plane-endpoint does not resolve on this machine`
      : `the name ${parsed.host} of --control-plane-endpoint resolves to several addresses: ${addresses.join(', ')}`,
    { fix: 'let it resolve to the virtual address alone, or give the virtual address itself' },
  )
}
