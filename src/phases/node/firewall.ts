import type { Host } from '../../host/host.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

export interface Port {
  readonly port: string
  readonly protocol: 'tcp' | 'udp'
  /** For the log: what listens there. */
  readonly what: string
}

/** Kubernetes documentation, "Ports and Protocols"; flannel documentation, "Firewalls"; KubeEdge documentation, "Ports". */
function ports({ settings }: NodeContext): Port[] {
  const node: Port[] = [
    { port: '10250', protocol: 'tcp', what: 'kubelet' },
    { port: '30000-32767', protocol: 'tcp', what: 'NodePort services' },
    ...(settings.cni === 'flannel'
      ? [{ port: '8472', protocol: 'udp', what: 'flannel VXLAN' } as const]
      : []),
  ]
  if (!isControlPlane(settings)) return node
  const bindPort = settings.command === 'init' ? settings.bindPort : (settings.controlPlane?.bindPort ?? 6443)
  const edge: Port[] =
    settings.enableEdge && settings.edge.runtime === 'kubeedge'
      ? [10000, 10002, 10004].map(
          (port) => ({ port: String(port), protocol: 'tcp', what: 'KubeEdge CloudCore' }) as const,
        )
      : []
  return [
    { port: String(bindPort), protocol: 'tcp', what: 'API server' },
    { port: '2379-2380', protocol: 'tcp', what: 'etcd' },
    ...node,
    ...edge,
  ]
}

export type Firewall = 'firewalld' | 'ufw'

/** The firewall manager that is at work here, if any. Raw nftables and iptables rules are the administrator's and stay as they are. */
export async function activeFirewall(host: Host): Promise<Firewall | undefined> {
  if ((await host.probe('firewall-cmd', ['--state'])).exitCode === 0) return 'firewalld'
  const ufw = await host.probe('ufw', ['status'])
  return ufw.exitCode === 0 && ufw.stdout.includes('Status: active') ? 'ufw' : undefined
}

async function openFirewalld(host: Host, port: Port): Promise<void> {
  const rule = `${port.port}/${port.protocol}`
  for (const permanent of [[], ['--permanent']]) {
    const asked = await host.probe('firewall-cmd', [...permanent, `--query-port=${rule}`])
    if (asked.exitCode === 0) continue
    await host.run('firewall-cmd', [...permanent, `--add-port=${rule}`], {
      title: `open ${rule} for ${port.what} in firewalld${permanent.length > 0 ? ' (permanent)' : ''}`,
      undo: { file: 'firewall-cmd', args: [...permanent, `--remove-port=${rule}`] },
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

/** Opens one port, where a firewall runs. */
export async function openPort(host: Host, port: Port): Promise<void> {
  const kind = await activeFirewall(host)
  if (kind === 'firewalld') await openFirewalld(host, port)
  else if (kind === 'ufw') await openUfw(host, port)
}

/** Opens what Kubernetes listens on, by name, where a firewall runs; it is never switched off. */
export const firewall: Phase<NodeContext> = {
  name: 'node/firewall',
  title: 'Open ports in the firewall',
  runIf: async ({ host }) =>
    (await activeFirewall(host)) === undefined ? 'no firewalld or ufw is active' : true,
  inputs: ports,
  run: async (ctx) => {
    const kind = await activeFirewall(ctx.host)
    for (const port of ports(ctx)) {
      if (kind === 'firewalld') await openFirewalld(ctx.host, port)
      else await openUfw(ctx.host, port)
    }
  },
}
