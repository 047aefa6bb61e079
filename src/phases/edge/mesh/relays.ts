import { isIPv4 } from 'node:net'
import type { MeshRelay } from '../../../config/mesh.ts'
import type { MeshRelays, Relay } from '../../../kubeedge/mesh.ts'
import { kubectlGet } from '../../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import type { InitContext } from '../../context.ts'

interface Node {
  readonly metadata: { readonly name: string }
  readonly status: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
}

/** EdgeMesh dials IPv4 only, and leaves out a relay with any other address without a word. */
const addressesOf = ({ status }: Node): string[] =>
  (status.addresses ?? [])
    .filter(({ type, address }) => type === 'InternalIP' && isIPv4(address))
    .map(({ address }) => address)

/** `--edgemesh-relay`, else the masters that there are, with the addresses where the other nodes reach them. */
export async function meshRelays(ctx: InitContext): Promise<MeshRelays> {
  const followMasters = ctx.settings.edge.edgeMeshRelays.length === 0
  return { relays: await relaysOf(ctx), followMasters }
}

async function relaysOf(ctx: InitContext): Promise<Relay[]> {
  const { host, settings } = ctx
  const wanted = settings.edge.edgeMeshRelays
  if (settings.dryRun)
    return (wanted.length > 0 ? wanted : [{ nodeName: settings.node.name, addresses: [] }]).map(
      ({ nodeName, addresses }) => ({ nodeName, advertiseAddress: withOwn(ctx, nodeName, addresses) }),
    )
  if (wanted.length > 0) return Promise.all(wanted.map((relay) => asked(ctx, relay)))
  const selector = ['nodes', '-l', 'node-role.kubernetes.io/control-plane']
  const masters = (await kubectlGet<{ items: Node[] }>(host, selector))?.items ?? []
  return masters
    .map((node) => ({
      nodeName: node.metadata.name,
      advertiseAddress: withOwn(ctx, node.metadata.name, addressesOf(node)),
    }))
    .filter(({ advertiseAddress }) => advertiseAddress.length > 0)
}

async function asked(ctx: InitContext, { nodeName, addresses }: MeshRelay): Promise<Relay> {
  if (addresses.length > 0) return { nodeName, advertiseAddress: addresses }
  const node = await kubectlGet<Node>(ctx.host, ['node', nodeName])
  if (node === undefined)
    throw new EdgeadmError('phase', `--edgemesh-relay: there is no node ${nodeName} in the cluster yet`, {
      fix: `say its address (--edgemesh-relay ${nodeName}=ADDRESS), or join it first and run \`edgeadm init phase edge/edgemesh\` with the same flags`,
    })
  const advertiseAddress = withOwn(ctx, nodeName, addressesOf(node))
  if (advertiseAddress.length > 0) return { nodeName, advertiseAddress }
  throw new EdgeadmError('phase', `--edgemesh-relay: the node ${nodeName} has no IPv4 address`, {
    fix: `say one: --edgemesh-relay ${nodeName}=ADDRESS`,
  })
}

/** This master is also where --cloud-address says, unless that address is a balancer's. */
function withOwn({ settings }: InitContext, name: string, addresses: readonly string[]): string[] {
  if (name !== settings.node.name) return [...addresses]
  const own = settings.advertiseAddress
  const cloud =
    settings.ha.mode === 'none' && settings.controlPlaneEndpoint === undefined
      ? settings.edge.cloudAddresses
      : []
  return [...new Set([...addresses, own, ...cloud])].filter((address) => isIPv4(address))
}
