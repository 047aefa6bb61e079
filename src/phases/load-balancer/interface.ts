import ipaddr from 'ipaddr.js'
import type { InterfaceAddress, NetworkInterface } from '../../config/types.ts'
import type { Look } from '../../host/host.ts'

export type FoundInterface =
  | { readonly name: string; readonly address: string }
  /** Why none will do. */
  | { readonly problem: string }

export interface InterfaceQuestion {
  readonly virtualAddress: string
  /** Of this master's API server. The masters speak VRRP between these addresses. */
  readonly advertiseAddress: string
  /** `--interface` */
  readonly named: string | undefined
}

/**
 * The network interface that is to carry the virtual address: the one that was named, else the one over which the kernel
 * would reach the address.
 */
export async function findInterface(
  host: Look,
  interfaces: readonly NetworkInterface[],
  { virtualAddress, advertiseAddress, named }: InterfaceQuestion,
): Promise<FoundInterface> {
  // To an address that this machine holds the route is the loopback interface.
  const holder = interfaces.find((one) => one.addresses.some(({ address }) => address === virtualAddress))
  const name = named ?? holder?.name ?? (await routeInterface(host, virtualAddress))
  if (name === undefined)
    return {
      problem: `there is no route to the virtual address ${virtualAddress}: it must be in the network of one of this machine's interfaces`,
    }
  const found = interfaces.find((one) => one.name === name)
  if (found?.loopback === true)
    return { problem: `the virtual address ${virtualAddress} is this machine's own already` }
  return carrier(found, name, virtualAddress, advertiseAddress)
}

/** Whether the interface can carry the virtual address. */
export function carrier(
  found: NetworkInterface | undefined,
  name: string,
  virtualAddress: string,
  advertiseAddress: string,
): FoundInterface {
  const family = virtualAddress.includes(':') ? 6 : 4
  const addresses = (found?.addresses ?? []).filter(
    (one) => one.family === family && one.address !== virtualAddress,
  )
  if (addresses.length === 0)
    return {
      problem: `the network interface ${name} has no IPv${family} address, so it cannot carry ${virtualAddress}`,
    }
  const networks = addresses.map((one) => `${one.address}/${one.prefixLength}`).join(', ')
  if (!addresses.some((one) => contains(one, virtualAddress)))
    return {
      problem: `the virtual address ${virtualAddress} is not in the network of the interface ${name} (${networks})`,
    }
  if (addresses.some((one) => one.address === advertiseAddress)) return { name, address: advertiseAddress }
  return {
    problem: `the API server's advertise address ${advertiseAddress} is not on the interface ${name} (${networks}), which would carry ${virtualAddress}: choose one of that interface with --apiserver-advertise-address`,
  }
}

function contains(own: InterfaceAddress, address: string): boolean {
  const [one, other] = [ipaddr.parse(own.address), ipaddr.parse(address)]
  return one.kind() === other.kind() && one.match(other as never, own.prefixLength)
}

async function routeInterface(host: Look, address: string): Promise<string | undefined> {
  const route = await host.probe('ip', ['-json', 'route', 'get', address])
  return route.exitCode === 0 ? (JSON.parse(route.stdout) as { dev?: string }[])[0]?.dev : undefined
}
