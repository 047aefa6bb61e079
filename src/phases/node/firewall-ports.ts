import type { Host, Look } from '../../host/host.ts'

export interface Port {
  readonly port: string
  readonly protocol: 'tcp' | 'udp'
  /** For the log: what listens there. */
  readonly what: string
}

export type Firewall = 'firewalld' | 'ufw'

/** The firewall manager that is at work here, if any. Raw nftables and iptables rules are the administrator's and stay as they are. */
export async function activeFirewall(host: Look): Promise<Firewall | undefined> {
  if ((await host.probe('firewall-cmd', ['--state'])).exitCode === 0) return 'firewalld'
  const ufw = await host.probe('ufw', ['status'])
  return ufw.exitCode === 0 && ufw.stdout.includes('Status: active') ? 'ufw' : undefined
}

/**
 * Opens ports, where a firewall runs.
 * @param address by which others reach this machine
 */
export async function openPorts(host: Host, address: string, ports: readonly Port[]): Promise<void> {
  const kind = ports.length === 0 ? undefined : await activeFirewall(host)
  if (kind === undefined) return
  const zone = kind === 'firewalld' ? await zoneOf(host, address) : ''
  for (const port of ports) {
    if (kind === 'firewalld') await openFirewalld(host, zone, port)
    else await openUfw(host, port)
  }
}

/** The zone of the interface that has the address: the administrator may have put it into another than the default one. */
async function zoneOf(host: Look, address: string): Promise<string> {
  const shown = await host.probe('ip', ['-json', 'address', 'show', 'to', address])
  const name = (JSON.parse(shown.stdout || '[]') as { ifname?: string }[]).find(
    ({ ifname }) => ifname,
  )?.ifname
  const zone = await host.probe('firewall-cmd', [`--get-zone-of-interface=${name}`])
  if (name !== undefined && zone.exitCode === 0) return zone.stdout.trim()
  return (await host.probe('firewall-cmd', ['--get-default-zone'])).stdout.trim()
}

async function openFirewalld(host: Host, zone: string, port: Port): Promise<void> {
  const rule = `${port.port}/${port.protocol}`
  for (const permanent of [[], ['--permanent']]) {
    const inZone = [...permanent, `--zone=${zone}`]
    const asked = await host.probe('firewall-cmd', [...inZone, `--query-port=${rule}`])
    if (asked.exitCode === 0) continue
    await host.run('firewall-cmd', [...inZone, `--add-port=${rule}`], {
      title: `open ${rule} for ${port.what} in firewalld's zone ${zone}${permanent.length > 0 ? ' (permanent)' : ''}`,
      undo: { file: 'firewall-cmd', args: [...inZone, `--remove-port=${rule}`] },
    })
  }
}

async function openUfw(host: Host, port: Port): Promise<void> {
  const rule = `${port.port.replace('-', ':')}/${port.protocol}`
  const status = await host.probe('ufw', ['status'])
  if (status.stdout.split('\n').some((line) => line.startsWith(`${rule} `) && line.includes('ALLOW'))) return
  await host.run('ufw', ['allow', rule, 'comment', `edgeadm: ${port.what}`], {
    title: `open ${rule} for ${port.what} in ufw`,
    undo: { file: 'ufw', args: ['delete', 'allow', rule] },
  })
}
