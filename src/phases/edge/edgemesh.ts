import { randomBytes } from 'node:crypto'
import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { MESH_LABELS, meshManifest, type Relay } from '../../kubeedge/mesh.ts'
import { applyManifest, applyTemplate, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { render } from '../../templates.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { withEdge } from './with-edge.ts'

/** EdgeMesh has it built in. */
const DNS_DOMAIN = 'cluster.local'

/** The agent's image, or why the cluster gets no EdgeMesh. @throws EdgeadmError if it was asked for and cannot be had */
export function meshImage(ctx: InitContext): { readonly image: string } | { readonly reason: string } {
  const { settings, manifest } = ctx
  const edge = withEdge(ctx)
  if (edge !== true) return { reason: edge }
  if (settings.edge.edgeMesh === false) return { reason: '--edgemesh=false' }
  const image = manifest?.images.find(({ name }) => /\/edgemesh-agent:/.test(name))?.name
  const asked = settings.edge.edgeMesh === true
  if (image === undefined) {
    if (!asked) return { reason: 'the package has no EdgeMesh' }
    throw new EdgeadmError('package', '--edgemesh: the package has no EdgeMesh', {
      fix: 'build one with it (`edgeadm package build --archive edgemesh-agent-image=FILE`), or leave --edgemesh out',
    })
  }
  if (settings.dnsDomain === DNS_DOMAIN) return { image }
  if (!asked) return { reason: `EdgeMesh knows only the DNS domain ${DNS_DOMAIN}` }
  throw new EdgeadmError(
    'usage',
    `--edgemesh: EdgeMesh knows only the DNS domain ${DNS_DOMAIN}, and --service-dns-domain is ${settings.dnsDomain}`,
    { fix: 'leave out one of the two' },
  )
}

export const edgeMesh: Phase<InitContext> = {
  name: 'edge/edgemesh',
  title: 'Install EdgeMesh',
  runIf: (ctx) => {
    const mesh = meshImage(ctx)
    return 'image' in mesh ? true : mesh.reason
  },
  inputs: (ctx) => [meshImage(ctx), ctx.settings.edge],
  verify: async () => true,
  run: async (ctx) => {
    const { host, settings, emit } = ctx
    const mesh = meshImage(ctx)
    if (!('image' in mesh)) return
    const relays = await relaysOf(ctx)
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
    await applyManifest(host, 'EdgeMesh', meshManifest(mesh.image, relays))
    emit({
      type: 'output',
      text: `A Service joins the mesh by its labels: kubectl label service NAME ${MESH_LABELS.join(' ')}`,
    })
  },
}

/** `--edgemesh-relay`, nodes of the cluster; else this master. */
async function relaysOf({ host, settings }: InitContext): Promise<Relay[]> {
  const own = { nodeName: settings.node.name, advertiseAddress: [...settings.edge.cloudAddresses] }
  const relays: Relay[] = []
  for (const name of settings.edge.edgeMeshRelays) {
    if (name === settings.node.name || settings.dryRun) {
      relays.push({ ...own, nodeName: name })
      continue
    }
    const node = await kubectlGet<{ status: { addresses?: { type: string; address: string }[] } }>(host, [
      'node',
      name,
    ])
    const address = node?.status.addresses?.find(({ type }) => type === 'InternalIP')?.address
    if (address === undefined)
      throw new EdgeadmError('phase', `--edgemesh-relay: there is no node ${name} in the cluster yet`, {
        fix: 'join it, then run `edgeadm init phase edge/edgemesh` with the same flags',
      })
    relays.push({ nodeName: name, advertiseAddress: [address] })
  }
  return relays.length > 0 ? relays : [own]
}
