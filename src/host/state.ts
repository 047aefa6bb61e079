import type { ServiceState } from './host.ts'
import type { Machine } from './machine.ts'

/** Of a systemd unit; one that does not exist is neither enabled nor active. */
export async function readServiceState(machine: Machine, unit: string): Promise<ServiceState> {
  const enabled = await machine.execute('systemctl', ['is-enabled', unit])
  const active = await machine.execute('systemctl', ['is-active', unit])
  return {
    enabled: enabled.stdout.startsWith('enabled'),
    active: active.stdout === 'active' || active.stdout === 'activating' || active.stdout === 'reloading',
  }
}

/**
 * Value of a kernel parameter, blanks as one space; undefined if this kernel does not have it.
 * @param key with dots (`net.ipv4.ip_forward`), or with slashes where a part has a dot in it
 */
export async function readSysctl(machine: Machine, key: string): Promise<string | undefined> {
  const text = await machine.readFile(`/proc/sys/${key.includes('/') ? key : key.replaceAll('.', '/')}`)
  return text?.toString('utf8').trim().replace(/\s+/g, ' ')
}

/** Whether `path` has the contents of `from`, and this mode. */
export async function isSameFile(
  machine: Machine,
  from: string,
  path: string,
  mode: number,
): Promise<boolean> {
  const [source, target] = [await machine.stat(from), await machine.stat(path)]
  if (target?.type !== 'file' || target.size !== source?.size || target.mode !== mode) return false
  const content = await machine.readFile(path)
  return content !== undefined && (await machine.readFile(from))?.equals(content) === true
}
