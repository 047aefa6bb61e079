import { randomBytes } from 'node:crypto'
import { NAMESPACE } from '../../../kubeedge/cluster-facts.ts'
import { GATEWAY_LABEL, gatewayManifest, type MeshRelays, meshManifest } from '../../../kubeedge/mesh.ts'
import { applyManifest, applyTemplate, changeCluster, kubectlGet } from '../../../kubernetes/kubectl.ts'
import { render } from '../../../templates.ts'
import type { InitContext } from '../../context.ts'
import type { Phase } from '../../workflow.ts'
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
  verify: async () => true,
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
    await applyManifest(host, 'EdgeMesh', meshManifest(images.agent, relays))
    await applyGateway(ctx, images.gateway, relays)
  },
}

/** The gateway, or its end if an earlier run was asked for one and this is not. */
async function applyGateway(
  { host, settings, emit }: InitContext,
  image: string | undefined,
  relays: MeshRelays,
): Promise<void> {
  const nodes = settings.edge.edgeMeshGateways
  if (image !== undefined) {
    await applyManifest(host, "EdgeMesh's gateway", gatewayManifest(image, relays, nodes))
    const text = `EdgeMesh's gateway runs on ${nodes.join(', ')} once joined; it may read Secrets, where the certificates of Gateways are`
    return emit({ type: 'output', text })
  }
  if (settings.dryRun) return
  const options = { namespace: NAMESPACE }
  const earlier = await kubectlGet<{ items: unknown[] }>(host, ['daemonsets', '-l', GATEWAY_LABEL], options)
  if ((earlier?.items.length ?? 0) === 0) return
  const all = ['delete', 'clusterrolebinding/edgemesh-gateway', 'clusterrole/edgemesh-gateway']
  await changeCluster(host, "end the rights of EdgeMesh's gateway", [...all, '--ignore-not-found'])
  const own = ['delete', 'daemonset,configmap,serviceaccount', '-l', GATEWAY_LABEL]
  await changeCluster(host, "remove EdgeMesh's gateway", own, options)
}
