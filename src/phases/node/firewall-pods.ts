import type { Host } from '../../host/host.ts'
import { isEdge, type NodeContext } from '../context.ts'
import { activeFirewall } from './firewall-ports.ts'

/** firewalld's zone that accepts everything. */
const ZONE = 'trusted'
const COMMENT = ['comment', 'edgeadm: Pods']

/**
 * The interfaces that Pods' traffic comes in by, under the names that CNI's bridge and flannel give them. A firewall refuses
 * to forward it otherwise: from another node to a Pod here, and from a Pod to a host. Empty with somebody else's network.
 */
export function podInterfaces({ settings }: NodeContext): string[] {
  if (isEdge(settings) && settings.edge.runtime === 'kubeedge') return ['cni0']
  return settings.cni === 'flannel' ? ['cni0', 'flannel.1'] : []
}

export async function trustInterface(host: Host, name: string): Promise<void> {
  const kind = await activeFirewall(host)
  if (kind === 'firewalld') await trustInFirewalld(host, name)
  else if (kind === 'ufw') await trustInUfw(host, name)
}

/** An interface that the administrator has put into a zone stays there. */
async function trustInFirewalld(host: Host, name: string): Promise<void> {
  for (const permanent of [[], ['--permanent']]) {
    const asked = await host.probe('firewall-cmd', [...permanent, `--get-zone-of-interface=${name}`])
    if (asked.exitCode === 0) continue
    const zone = [...permanent, `--zone=${ZONE}`]
    await host.run('firewall-cmd', [...zone, `--add-interface=${name}`], {
      title: `trust the Pods on ${name} in firewalld${permanent.length > 0 ? ' (permanent)' : ''}`,
      undo: { file: 'firewall-cmd', args: [...zone, `--remove-interface=${name}`] },
    })
  }
}

async function trustInUfw(host: Host, name: string): Promise<void> {
  const added = (await host.probe('ufw', ['show', 'added'])).stdout.split('\n')
  for (const route of [[], ['route']]) {
    const rule = ['allow', 'in', 'on', name]
    if (added.some((line) => `${line} `.startsWith(`${['ufw', ...route, ...rule].join(' ')} `))) continue
    await host.run('ufw', [...route, ...rule, ...COMMENT], {
      title: `let the Pods on ${name} through ufw${route.length > 0 ? ' (to elsewhere)' : ''}`,
      undo: { file: 'ufw', args: [...route, 'delete', ...rule] },
    })
  }
}
