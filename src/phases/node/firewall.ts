import { PORTS } from '../../kubeedge/cluster-facts.ts'
import { isControlPlane, isEdge, type NodeContext } from '../context.ts'
import { willRunAgent } from '../edge/mesh/checks.ts'
import type { Phase } from '../workflow.ts'
import { podInterfaces, shutStreamPort, trustPods } from './firewall-pods.ts'
import { activeFirewall, openPorts, type Port } from './firewall-ports.ts'

/** EdgeMesh, pkg/tunnel/module.go: relays have to be reached here; others get shorter ways by it. */
const TUNNEL: Port = { port: '20006', protocol: 'tcp', what: 'EdgeMesh' }
/** By this, edge nodes of one network find each other while the cloud is away. */
const MDNS: Port = { port: '5353', protocol: 'udp', what: 'EdgeMesh mDNS' }

/** CloudCore's for edge nodes. KubeEdge documentation, "Ports". @param stream whether the tunnel's is among them */
const cloudPorts = (stream: boolean): Port[] =>
  [PORTS.hub, PORTS.https, ...(stream ? [PORTS.tunnel] : [])].map((port) => ({
    port: String(port),
    protocol: 'tcp',
    what: 'KubeEdge CloudCore',
  }))

/** Kubernetes documentation, "Ports and Protocols"; flannel documentation, "Firewalls"; KubeEdge documentation, "Ports". */
export function ports(ctx: NodeContext): Port[] {
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
  return [
    { port: String(bindPort), protocol: 'tcp', what: 'API server' },
    { port: '2379-2380', protocol: 'tcp', what: 'etcd' },
    ...node,
    ...(getsCloudSide(settings) ? cloudPorts(settings.edge.stream !== false) : []),
  ]
}

/** Whether this run makes the cluster's cloud side. A further master asks the cluster for it, when it is in it. */
const getsCloudSide = (settings: NodeContext['settings']): boolean =>
  settings.command === 'init' && settings.cloudSide && settings.edge.runtime === 'kubeedge'

/** For a master of a cluster with a cloud side: CloudCore may come here with the next fail-over. */
export async function openCloudPorts(ctx: NodeContext, stream: boolean): Promise<void> {
  await openPorts(ctx.host, ctx.settings.node.address, cloudPorts(stream))
  if ((await activeFirewall(ctx.host)) === 'firewalld') await shutStreamPort(ctx.host)
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
    if (wanted.length > 0) await openPorts(ctx.host, ctx.settings.node.address, wanted)
    if (getsCloudSide(ctx.settings) && (await activeFirewall(ctx.host)) === 'firewalld')
      await shutStreamPort(ctx.host)
    await trustPods(ctx)
  },
}
