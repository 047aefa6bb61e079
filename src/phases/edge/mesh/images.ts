import { MESH_DNS_DOMAIN } from '../../../config/mesh.ts'
import { EdgeadmError } from '../../../output/errors.ts'
import type { PackageManifest } from '../../../package/index.ts'
import type { InitContext } from '../../context.ts'
import { withEdge } from '../with-edge.ts'

export interface MeshImages {
  readonly agent: string
  /** Undefined: no gateway was asked for. */
  readonly gateway: string | undefined
}

export const agentImage = (manifest: PackageManifest | undefined) =>
  manifest?.images.find(({ name }) => /\/edgemesh-agent:/.test(name))?.name

const gatewayImage = (manifest: PackageManifest | undefined) =>
  manifest?.images.find(({ name }) => /\/edgemesh-gateway:/.test(name))?.name

/** EdgeMesh's images, or why the cluster gets none. @throws EdgeadmError if it was asked for and cannot be had */
export function meshImages(ctx: InitContext): MeshImages | { readonly reason: string } {
  const { settings, manifest } = ctx
  const { edgeMesh, edgeMeshGateways, edgeMeshRelays } = settings.edge
  if (edgeMesh === false) return { reason: '--edgemesh=false' }
  const askedBy =
    (edgeMesh === true && '--edgemesh') ||
    (edgeMeshGateways.length > 0 && '--edgemesh-gateway') ||
    (edgeMeshRelays.length > 0 && '--edgemesh-relay')
  const edge = withEdge(ctx)
  if (edge !== true) {
    if (askedBy === false) return { reason: edge }
    throw new EdgeadmError(
      settings.cloudSide ? 'package' : 'usage',
      `${askedBy}: ${edge}, and EdgeMesh is for edge nodes`,
      { fix: `leave out ${askedBy}` },
    )
  }
  const agent = agentImage(manifest)
  if (agent === undefined) {
    if (askedBy === false) return { reason: 'the package has no EdgeMesh' }
    throw missing('EdgeMesh', askedBy, 'agent')
  }
  if (settings.dnsDomain !== MESH_DNS_DOMAIN)
    throw new EdgeadmError(
      'usage',
      `EdgeMesh, which is in the package, knows only the DNS domain ${MESH_DNS_DOMAIN}, and --service-dns-domain is ${settings.dnsDomain}`,
      { fix: 'leave out --service-dns-domain, or add --edgemesh=false' },
    )
  if (edgeMeshGateways.length === 0) return { agent, gateway: undefined }
  const gateway = gatewayImage(manifest)
  if (gateway === undefined) throw missing("EdgeMesh's gateway", '--edgemesh-gateway', 'gateway')
  return { agent, gateway }
}

function missing(what: string, flag: string, part: string): EdgeadmError {
  return new EdgeadmError('package', `${flag}: the package has no ${what}`, {
    fix: `build one with it (\`edgeadm package build\` with --with edgemesh, and --archive edgemesh-${part}-image=FILE unless its registry answers), or leave ${flag} out`,
  })
}
