import { randomBytes } from 'node:crypto'
import { NAMESPACE, readClusterFacts } from '../../../kubeedge/cluster-facts.ts'
import {
  GATEWAY_LABEL,
  GATEWAY_RIGHTS,
  gatewayManifest,
  type MeshRelays,
  meshManifest,
} from '../../../kubeedge/mesh.ts'
import { applyManifest, applyTemplate, changeCluster, kubectlGet } from '../../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import { carriesAddition } from '../../../package/index.ts'
import { render } from '../../../templates.ts'
import type { InitContext } from '../../context.ts'
import { type Phase, trustJournal } from '../../workflow.ts'
import { CLOUDCORE_IMAGE } from '../with-edge.ts'
import { meshImages } from './images.ts'
import { meshRelays } from './relays.ts'

export const edgeMesh: Phase<InitContext> = {
  name: 'edge/edgemesh',
  title: 'Install EdgeMesh',
  runIf: (ctx) => {
    const images = meshImages(ctx)
    return 'agent' in images ? true : images.reason
  },
  inputs: (ctx) => [meshImages(ctx), ctx.settings.edge],
  verify: trustJournal,
  run: async (ctx) => {
    const { host, settings } = ctx
    const images = meshImages(ctx)
    if (!('agent' in images)) return
    const relays = await meshRelays(ctx)
    const has = async (args: readonly string[]) =>
      !settings.dryRun && (await kubectlGet(host, args)) !== undefined
    // Istio's own, where it is installed, stay.
    if (!(await has(['crd', 'destinationrules.networking.istio.io'])))
      await applyTemplate(host, 'edge/mesh/definitions.yaml')
    // The one secret of the mesh: names of peers can be guessed.
    if (!(await has(['secret', 'edgemesh-psk', '-n', NAMESPACE]))) {
      const psk = Buffer.from(randomBytes(32).toString('base64')).toString('base64')
      await applyManifest(
        host,
        'the key of EdgeMesh',
        render('edge/cloud/secret.yaml', { name: 'edgemesh-psk', data: { psk } }),
      )
    }
    const facts = settings.dryRun ? undefined : await readClusterFacts(host)
    const added = facts?.components.edgeMesh ?? settings.edge.components.edgeMesh
    await applyManifest(host, 'EdgeMesh', meshManifest(images.agent, relays, added))
    await applyGateway(ctx, images.gateway, relays)
  },
}

/** With it CloudCore gives the gateway on an edge node the Secrets of its Gateways alone. */
const GATEWAY_ADDITION = 'kubeedge/metaserver'

/** @throws EdgeadmError class `package` */
async function refuseEdges(host: InitContext['host'], nodes: readonly string[]): Promise<void> {
  const list = ['nodes', '-l', 'node-role.kubernetes.io/edge']
  const edges = await kubectlGet<{ items: { metadata: { name: string } }[] }>(host, list)
  const named = (edges?.items ?? [])
    .map(({ metadata }) => metadata.name)
    .filter((name) => nodes.includes(name))
  if (named.length === 0) return
  throw new EdgeadmError(
    'package',
    `--edgemesh-gateway: ${named.join(', ')} would hold all Secrets of the cluster, since CloudCore in this package is its publisher's, without edgeadm's additions`,
    { fix: 'name a node of the cloud, or use a package that was built where Go is installed' },
  )
}

/** The gateway, or its end if an earlier run was asked for one and this is not. */
async function applyGateway(
  { host, settings, manifest, emit }: InitContext,
  image: string | undefined,
  relays: MeshRelays,
): Promise<void> {
  const nodes = settings.edge.edgeMeshGateways
  if (image !== undefined) {
    const onEdges = carriesAddition(manifest, CLOUDCORE_IMAGE, GATEWAY_ADDITION)
    if (!onEdges && !settings.dryRun) await refuseEdges(host, nodes)
    await applyManifest(host, "EdgeMesh's gateway", gatewayManifest(image, relays, nodes, onEdges))
    const text =
      `EdgeMesh's gateway runs on ${nodes.join(', ')} once joined. ` +
      (onEdges
        ? 'On an edge node it gets the certificates that Gateways name; on another node it may read all Secrets of the cluster'
        : 'It may read all Secrets of the cluster, and so runs on no edge node')
    return emit({ type: 'output', text })
  }
  if (settings.dryRun) return
  const options = { namespace: NAMESPACE }
  const earlier = await kubectlGet<{ items: unknown[] }>(host, ['daemonsets', '-l', GATEWAY_LABEL], options)
  if ((earlier?.items.length ?? 0) === 0) return
  const rights = GATEWAY_RIGHTS.flatMap((name) => [`clusterrolebinding/${name}`, `clusterrole/${name}`])
  const all = ['delete', ...rights]
  await changeCluster(host, "end the rights of EdgeMesh's gateway", [...all, '--ignore-not-found'])
  const own = ['delete', 'daemonset,configmap,serviceaccount', '-l', GATEWAY_LABEL]
  await changeCluster(host, "remove EdgeMesh's gateway", own, options)
}
