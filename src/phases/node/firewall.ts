import { isControlPlane, isEdge, type NodeContext } from '../context.ts'
import { willRunAgent } from '../edge/mesh/checks.ts'
import type { Phase } from '../workflow.ts'
import { nodeAddress } from './address.ts'
import { podInterfaces, trustPods } from './firewall-pods.ts'
import { activeFirewall, openPorts, type Port } from './firewall-ports.ts'

/** EdgeMesh, pkg/tunnel/module.go: relays have to be reached here; others get shorter ways by it. */
const TUNNEL: Port = { port: '20006', protocol: 'tcp', what: 'EdgeMesh' }
/** By this, edge nodes of one network find each other while the cloud is away. */
const MDNS: Port = { port: '5353', protocol: 'udp', what: 'EdgeMesh mDNS' }

/** Kubernetes documentation, "Ports and Protocols"; flannel documentation, "Firewalls"; KubeEdge documentation, "Ports". */
function ports(ctx: NodeContext): Port[] {
  const { settings } = ctx
  // edgecore calls the cloud; nobody calls it. Agents of EdgeMesh call each other.
  if (isEdge(settings) && settings.edge.runtime === 'kubeedge') return willRunAgent(ctx) ? [TUNNEL, MDNS] : []
  const node: Port[] = [
    { port: '10250', protocol: 'tcp', what: 'kubelet' },
    { port: '30000-32767', protocol: 'tcp', what: 'NodePort services' },
    ...(settings.cni === 'flannel'
      ? [{ port: '8472', protocol: 'udp', what: 'flannel VXLAN' } as const]
      : []),
    ...(willRunAgent(ctx) ? [TUNNEL] : []),
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

/** Opens what Kubernetes listens on, by name, and lets Pods through, where a firewall runs; it is never switched off. */
export const firewall: Phase<NodeContext> = {
  name: 'node/firewall',
  title: 'Open ports in the firewall',
  runIf: async ({ host }) =>
    (await activeFirewall(host)) === undefined ? 'no firewalld or ufw is active' : true,
  inputs: (ctx) => [ports(ctx), podInterfaces(ctx)],
  run: async (ctx) => {
    const wanted = ports(ctx)
    if (wanted.length > 0) await openPorts(ctx.host, await nodeAddress(ctx), wanted)
    await trustPods(ctx)
  },
}
