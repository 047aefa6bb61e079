import type { Look } from '../host/host.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { HostFacts, NetworkInterface, Route } from './types.ts'

interface IpAddress {
  readonly ifname: string
  readonly flags?: readonly string[]
  readonly addr_info?: readonly { family: string; local: string; prefixlen: number; tentative?: boolean }[]
}

interface IpRoute {
  readonly dst: string
  readonly dev?: string
  readonly metric?: number
  readonly prefsrc?: string
  readonly nexthops?: readonly { dev?: string }[]
}

/**
 * Asks the machine for its name, addresses and routes. Changes nothing.
 * @throws EdgeadmError class `preflight` if iproute2 is missing
 */
export async function gatherFacts(host: Look): Promise<HostFacts> {
  const [hostname, addresses, routes4, routes6] = await Promise.all([
    host.readFile('/proc/sys/kernel/hostname'),
    ip<IpAddress>(host, ['-j', 'addr']),
    ip<IpRoute>(host, ['-j', '-4', 'route']),
    ip<IpRoute>(host, ['-j', '-6', 'route']),
  ])
  return {
    hostname: (hostname ?? '').trim(),
    interfaces: addresses.filter((one) => one.ifname !== undefined).map(toInterface),
    routes: [...routes4.flatMap((one) => toRoutes(one, 4)), ...routes6.flatMap((one) => toRoutes(one, 6))],
  }
}

async function ip<T>(host: Look, args: readonly string[]): Promise<readonly T[]> {
  const { stdout, stderr, exitCode } = await host.probe('ip', args)
  if (exitCode === 127)
    throw new EdgeadmError(
      'preflight',
      'ip is not installed, so the addresses of this machine are not known',
      {
        fix: 'Install the package iproute2 (Debian, Ubuntu) or iproute (Fedora, RHEL).',
      },
    )
  // A kernel without IPv6 answers `-6` with an error: no routes.
  if (exitCode !== 0 && args.includes('-6')) return []
  if (exitCode !== 0) throw new EdgeadmError('preflight', `ip ${args.join(' ')} failed: ${stderr.trim()}`)
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[])
}

function toInterface(one: IpAddress): NetworkInterface {
  const flags = one.flags ?? []
  return {
    name: one.ifname,
    up: flags.includes('UP'),
    loopback: flags.includes('LOOPBACK'),
    addresses: (one.addr_info ?? [])
      .filter((info) => info.local !== undefined)
      .map((info) => ({
        address: info.local,
        prefixLength: info.prefixlen,
        family: info.family === 'inet6' ? 6 : 4,
      })),
  }
}

function toRoutes(one: IpRoute, family: 4 | 6): Route[] {
  const devices = one.dev === undefined ? (one.nexthops ?? []).map((hop) => hop.dev) : [one.dev]
  return devices.flatMap((device) =>
    device === undefined
      ? []
      : [{ destination: one.dst, interface: device, family, metric: one.metric ?? 0, source: one.prefsrc }],
  )
}
