import { parseDocument } from 'yaml'
import { mergeInto } from '../../config/components.ts'
import type { Taint } from '../../config/edge-configuration.ts'
import type { PlainDocument } from '../../config/types.ts'
import { bootstrapEdge } from '../../kubeedge/bootstrap.ts'
import { METASERVER_LABEL } from '../../kubeedge/mesh.ts'
import {
  EDGE_CA,
  EDGE_CERTIFICATE,
  EDGE_KEY,
  EDGECORE_CONFIG,
  EDGECORE_KUBELET_PORT,
  EDGECORE_PORT_GUARD,
  EDGECORE_UNIT_FILE,
  METASERVER_LINK,
  SERVICE_ACCOUNT_KEYS,
} from '../../kubeedge/paths.ts'
import { render } from '../../templates.ts'
import { BIN, type JoinContext } from '../context.ts'
import { kubeletResolvConf } from '../node/resolver.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'
import { requiredEdgeParts } from './with-edge.ts'

/** Keeps Pods off that were not written for the edge; CoreDNS for one tolerates the control plane's taint only. */
const DEFAULT_TAINTS: readonly Taint[] = [{ key: 'node-role.kubernetes.io/edge', effect: 'NoSchedule' }]

const COSTS = {
  secure:
    'MetaServer is secure: Pods use it with their own token and rights; edgecore cannot start while the cloud is away (--metaserver=plain can)',
  plain:
    'MetaServer is plain: it also starts while the cloud is away; whoever is on this host may ask it anything, and only Pods in the host network can (--metaserver=secure checks tokens)',
} as const

export const edgeConfig: Phase<JoinContext> = {
  name: 'edge/config',
  title: 'Configure edgecore',
  inputs: ({ settings, manifest }) => [
    settings.node,
    settings.edge,
    settings.documents.KubeletConfiguration,
    manifest?.components,
  ],
  verify: async ({ host }) => (await host.stat(EDGECORE_CONFIG)) !== undefined,
  run: async (ctx) => {
    const { host, settings, signal, emit } = ctx
    const parts = requiredEdgeParts(ctx)
    const { cloud, facts } = await bootstrapEdge(settings, signal)
    const secure = settings.edge.metaServer === 'secure'
    const data = {
      version: parts.version,
      secure,
      cloud: cloud.address.includes(':') ? `[${cloud.address}]` : cloud.address,
      name: settings.node.name,
      address: settings.node.address,
      labels: { ...settings.node.labels, [METASERVER_LABEL]: settings.edge.metaServer },
      taints: settings.node.taints ?? DEFAULT_TAINTS,
      pauseImage: parts.pauseImage,
      criSocket: settings.node.criSocket,
      dnsDomain: facts.dnsDomain,
      clusterDns: facts.clusterDns,
      issuers: facts.serviceAccountIssuers,
      stream: facts.stream,
      resolvConf: (await kubeletResolvConf(ctx)) ?? '',
      files: {
        ca: EDGE_CA,
        certificate: EDGE_CERTIFICATE,
        key: EDGE_KEY,
        serviceAccountKeys: SERVICE_ACCOUNT_KEYS,
      },
    }
    const added = [facts.components.edgeCore ?? {}, settings.edge.components.edgeCore ?? {}]
    emit({ type: 'output', text: COSTS[settings.edge.metaServer] })
    await host.writeFile(
      EDGECORE_CONFIG,
      edgeCoreConfiguration(data, added, settings.documents.KubeletConfiguration),
      {
        mode: 0o600,
        secret: true,
      },
    )
    await templateFile(
      host,
      EDGECORE_PORT_GUARD,
      'edge/node/guard-port',
      { port: EDGECORE_KUBELET_PORT, chain: 'EDGEADM-EDGECORE' },
      { mode: 0o755 },
    )
    await templateFile(host, EDGECORE_UNIT_FILE, 'edge/node/edgecore.service', {
      bin: BIN,
      config: EDGECORE_CONFIG,
      guard: EDGECORE_PORT_GUARD,
      link: secure ? METASERVER_LINK : undefined,
    })
  },
}

/**
 * The user's parts go into edgecore's configuration: first the cluster's, then this node's; and the KubeletConfiguration into
 * edgecore's own kubelet, field by field.
 */
function edgeCoreConfiguration(
  data: Readonly<Record<string, unknown>>,
  added: readonly PlainDocument[],
  kubelet: PlainDocument = {},
): string {
  const document = parseDocument(render('edge/node/edgecore.yaml', data))
  for (const part of added) mergeInto(document, part)
  for (const [field, value] of Object.entries(kubelet)) {
    if (field !== 'apiVersion' && field !== 'kind')
      document.setIn(['modules', 'edged', 'tailoredKubeletConfig', field], value)
  }
  return document.toString({ lineWidth: 0 })
}
