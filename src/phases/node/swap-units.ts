/** What turns swap on at boot beside /etc/fstab. */

import type { Look } from '../../host/host.ts'

export interface BootSwap {
  readonly unit: string
  /** A unit that is enabled, or one that a generator makes at each boot (zram-generator, GPT partitions). */
  readonly by: 'unit' | 'generator'
}

/** Services of distributions: Raspberry Pi OS, Debian's zram-tools, Ubuntu's zram-config. */
const SERVICES = ['dphys-swapfile.service', 'zramswap.service', 'zram-config.service']

/** Only looks. */
export async function bootSwaps(host: Look): Promise<BootSwap[]> {
  const services: BootSwap[] = []
  for (const unit of SERVICES)
    if ((await host.serviceState(unit)).enabled) services.push({ unit, by: 'unit' })
  const files = await host.probe('systemctl', [
    ...['list-unit-files', '--type=swap', '--no-legend', '--no-pager', '--full'],
  ])
  const loaded = await host.probe('systemctl', [
    ...['list-units', '--type=swap', '--all', '--plain', '--no-legend', '--no-pager', '--full'],
  ])
  const names = new Set([...firstWords(files.stdout), ...firstWords(loaded.stdout)])
  const units: BootSwap[] = []
  for (const unit of names) {
    const shown = await host.probe('systemctl', ['show', '-p', PROPERTIES, unit])
    const by = originOf(shown.stdout)
    if (by !== undefined) units.push({ unit, by })
  }
  return [...services, ...units]
}

const PROPERTIES = 'FragmentPath,SourcePath,UnitFileState,LoadState'

/** Undefined: nothing turns it on at boot (by hand, masked, not enabled), or a line of fstab does. */
export function originOf(properties: string): BootSwap['by'] | undefined {
  const of = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(properties)?.[1] ?? ''
  if (of('LoadState') === 'masked' || of('SourcePath') === '/etc/fstab') return undefined
  if (of('FragmentPath').startsWith('/run/systemd/generator')) return 'generator'
  return of('UnitFileState') === 'enabled' ? 'unit' : undefined
}

function firstWords(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*(\S+\.swap)\b/.exec(line)?.[1] ?? [])
}
