import { isIPv4 } from 'node:net'
import type { MeshRelay } from '../../../config/mesh.ts'
import type { MeshRelays, Relay } from '../../../kubeedge/mesh.ts'
import { kubectlGet } from '../../../kubernetes/kubectl.ts'
import { readMasters } from '../../../kubernetes/masters.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import type { InitContext } from '../../context.ts'
import { ownRecord } from '../../kubernetes/master-record.ts'
import { relaysIn } from './masters.ts'

interface Node {
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
  if (settings.dryRun && wanted.length > 0)
    return wanted.map(({ nodeName, addresses }) => ({ nodeName, advertiseAddress: [...addresses] }))
  if (settings.dryRun) return relaysIn([ownRecord(ctx)])
  if (wanted.length > 0) return Promise.all(wanted.map((relay) => asked(ctx, relay)))
  return relaysIn(await readMasters(host))
}

async function asked(ctx: InitContext, { nodeName, addresses }: MeshRelay): Promise<Relay> {
  if (addresses.length > 0) return { nodeName, advertiseAddress: addresses }
  const node = await kubectlGet<Node>(ctx.host, ['node', nodeName])
  if (node === undefined)
    throw new EdgeadmError('phase', `--edgemesh-relay: there is no node ${nodeName} in the cluster yet`, {
      fix: `say its address (--edgemesh-relay ${nodeName}=ADDRESS), or join it first and run \`edgeadm init phase edge/edgemesh\` with the same flags`,
    })
  const advertiseAddress =
    nodeName === ctx.settings.node.name ? ownRecord(ctx).relayAddresses : addressesOf(node)
  if (advertiseAddress.length > 0) return { nodeName, advertiseAddress }
  throw new EdgeadmError('phase', `--edgemesh-relay: the node ${nodeName} has no IPv4 address`, {
    fix: `say one: --edgemesh-relay ${nodeName}=ADDRESS`,
  })
}
