import { createHash } from 'node:crypto'
import { parseDocument } from 'yaml'
import { mergeInto } from '../../config/components.ts'
import type { PlainDocument } from '../../config/types.ts'
import { type ClusterFacts, FACTS_SCHEMA } from '../../kubeedge/cluster-facts.ts'
import { MESH_DNS } from '../../kubeedge/mesh.ts'
import { ADDITIONS_ANNOTATION } from '../../kubeedge/parts.ts'
import { termsFor } from '../../kubeedge/placement.ts'
import type { Master } from '../../kubernetes/masters.ts'
import type { TokenIssuer } from '../../kubernetes/token-issuer.ts'
import { carriedBy, carriesAddition } from '../../package/index.ts'
import { render, templateText } from '../../templates.ts'
import type { InitContext } from '../context.ts'
import { cloudNames } from './certificates.ts'
import { guardedAddresses } from './masters.ts'
import { meshImages } from './mesh/images.ts'
import { CLOUDCORE_IMAGE, requiredEdgeParts } from './with-edge.ts'

/** What the settings do not say. */
export interface Found {
  readonly issuer: TokenIssuer
  /** Of an earlier run: what this one says nothing about stays. */
  readonly earlier: ClusterFacts | undefined
  readonly masters: readonly Master[]
  /** Of edgeadm's own load balancer: CloudCore follows it. */
  readonly virtualAddress: string | undefined
  /** CloudCore's, PEM; empty where it is not known yet. */
  readonly ca: string
}

export const NOTHING_FOUND: Found = {
  issuer: { issuers: [], keys: '' },
  earlier: undefined,
  masters: [],
  virtualAddress: undefined,
  ca: '',
}

export interface CloudCoreManifest {
  readonly text: string
  /** Of what CloudCore runs with; on its Pods. */
  readonly inputs: string
  /** Whether `kubectl logs` and `exec` reach edge nodes. */
  readonly stream: boolean
}

export function cloudCoreManifest(ctx: InitContext, found: Found): CloudCoreManifest {
  const parts = requiredEdgeParts(ctx)
  const { virtualAddress, masters } = found
  const facts = clusterFacts(ctx, found)
  const { stream } = facts
  const names = cloudNames(ctx)
  const cloudcore = {
    image: parts.cloudCoreImage,
    additionsAnnotation: ADDITIONS_ANNOTATION,
    additions: carriedBy(ctx.manifest, CLOUDCORE_IMAGE).join(' '),
    node: ctx.settings.node.name,
    virtualAddress,
    followAddress: templateText('edge/cloud/follow-address'),
    stream,
    configuration: configuration(
      // CloudCore refuses to start without an address; a name alone is not one.
      { addresses: names.ip, dnsNames: names.dns, stream },
      facts.components.cloudCore,
    ),
  }
  const terms = termsFor(masters.map(({ node }) => node))
  // Where Pods may run is no reason to start those afresh that run.
  const inputs = hash(render('edge/cloud/cloudcore.yaml', { ...cloudcore, terms: [], inputs: '' }))
  const manager = {
    image: parts.iptablesManagerImage,
    guard: templateText('edge/cloud/tunnel-guard'),
    masters: guardedAddresses(masters),
    terms,
  }
  const text = [
    render('edge/cloud/cloudcore.yaml', { ...cloudcore, terms, inputs }),
    ...(stream ? [render('edge/cloud/iptables-manager.yaml', manager)] : []),
    render('edge/cloud/join-access.yaml', { facts, takesBootstrapTokens: takesBootstrapTokens(ctx) }),
    ...(takesBootstrapTokens(ctx) ? [render('edge/cloud/ca.yaml', { ca: found.ca })] : []),
    render('edge/cloud/edge-check.yaml', { image: parts.pauseImage }),
  ].join('\n---\n')
  return { text, inputs, stream }
}

/** Whether the package's CloudCore has edgeadm's addition for that. */
export const takesBootstrapTokens = ({ manifest }: InitContext): boolean =>
  carriesAddition(manifest, CLOUDCORE_IMAGE, 'kubeedge/bootstrap-tokens')

function clusterFacts(ctx: InitContext, { issuer, earlier }: Found): ClusterFacts {
  const { settings } = ctx
  return {
    schema: FACTS_SCHEMA,
    cloudAddresses: [...settings.edge.cloudAddresses],
    kubeEdgeVersion: requiredEdgeParts(ctx).version,
    kubernetesVersion: settings.kubernetesVersion,
    serviceAccountKeys: issuer.keys,
    serviceAccountIssuers: issuer.issuers,
    dnsDomain: settings.dnsDomain,
    clusterDns: 'agent' in meshImages(ctx) ? [MESH_DNS] : [],
    networks: [...(settings.podSubnet?.split(',') ?? []), ...settings.serviceSubnet.split(',')],
    stream: settings.edge.stream ?? earlier?.stream ?? true,
    components: { ...earlier?.components, ...settings.edge.components },
  }
}

function configuration(data: Readonly<Record<string, unknown>>, added: PlainDocument = {}): string {
  const document = parseDocument(render('edge/cloud/cloudcore-config.yaml', data))
  mergeInto(document, added)
  return document.toString({ lineWidth: 0 })
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)
