import type { Host } from '../../host/host.ts'
import { STREAM_PORT } from '../../kubeedge/cluster-facts.ts'
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

export async function trustPods(ctx: NodeContext): Promise<void> {
  const { host } = ctx
  const kind = await activeFirewall(host)
  const names = podInterfaces(ctx)
  if (kind === 'ufw') for (const name of names) await trustInUfw(host, name)
  if (kind !== 'firewalld' || names.length === 0) return
  for (const name of names) await trustInFirewalld(host, name)
}

/**
 * CloudCore's port for API servers is none of the Pods' business, and firewalld trusts them with all others. CloudCore built
 * from source asks for credentials there; its publisher's does not.
 */
export async function shutStreamPort(host: Host): Promise<void> {
  const rule = `rule port port="${STREAM_PORT}" protocol="tcp" drop`
  for (const permanent of [[], ['--permanent']]) {
    const zone = [...permanent, `--zone=${ZONE}`]
    if ((await host.probe('firewall-cmd', [...zone, `--query-rich-rule=${rule}`])).exitCode === 0) continue
    await host.run('firewall-cmd', [...zone, `--add-rich-rule=${rule}`], {
      title: `shut port ${STREAM_PORT} for Pods in firewalld${permanent.length > 0 ? ' (permanent)' : ''}`,
      undo: { file: 'firewall-cmd', args: [...zone, `--remove-rich-rule=${rule}`] },
    })
  }
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
