import { hostOf } from '../../config/names.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { NodeContext } from '../context.ts'

/**
 * The address by which the cluster will know this machine: the advertised one on a master, else the one that the kernel
 * sends from towards the control plane.
 */
export async function nodeAddress({ settings, host }: NodeContext): Promise<string> {
  if (settings.command === 'init') return settings.advertiseAddress
  if (settings.controlPlane !== undefined) return settings.controlPlane.advertiseAddress
  const target = settings.discovery.kind === 'token' ? hostOf(settings.discovery.endpoint) : '255.255.255.255'
  const addresses = await host.probe('getent', ['ahosts', target])
  const resolved = addresses.stdout.split(/\s+/)[0] || target
  const route = await host.probe('ip', ['-json', 'route', 'get', resolved])
  const source =
    route.exitCode === 0 ? (JSON.parse(route.stdout) as { prefsrc?: string }[])[0]?.prefsrc : undefined
  if (source === undefined) {
    throw new EdgeadmError(
      'discovery',
      `there is no route from this machine to the control plane at ${target}`,
      {
        fix: `check the address, and the output of \`ip route get ${resolved}\``,
      },
    )
  }
  return source
}
