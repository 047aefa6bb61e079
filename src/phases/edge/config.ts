import { parseDocument } from 'yaml'
import type { Taint } from '../../config/edge-configuration.ts'
import type { PlainDocument } from '../../config/types.ts'
import { bootstrapEdge } from '../../kubeedge/bootstrap.ts'
import { METASERVER_LABEL } from '../../kubeedge/mesh.ts'
import {
  EDGE_CA,
  EDGE_CERTIFICATE,
  EDGE_KEY,
  EDGECORE_CONFIG,
  EDGECORE_UNIT_FILE,
  METASERVER_LINK,
  SERVICE_ACCOUNT_KEYS,
} from '../../kubeedge/paths.ts'
import { render } from '../../templates.ts'
import { BIN, type JoinContext } from '../context.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'
import { requiredEdgeParts } from './with-edge.ts'

/** Keeps Pods off that were not written for the edge; CoreDNS for one tolerates the control plane's taint only. */
const DEFAULT_TAINTS: readonly Taint[] = [{ key: 'node-role.kubernetes.io/edge', effect: 'NoSchedule' }]

/** systemd-resolved's real file where its stub is in use: the stub's address is no use inside a Pod. */
const RESOLVED = '/run/systemd/resolve/resolv.conf'

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
      issuer: facts.serviceAccountIssuer,
      resolvConf: (await host.stat(RESOLVED)) === undefined ? '/etc/resolv.conf' : RESOLVED,
      files: {
        ca: EDGE_CA,
        certificate: EDGE_CERTIFICATE,
        key: EDGE_KEY,
        serviceAccountKeys: SERVICE_ACCOUNT_KEYS,
      },
    }
    emit({ type: 'output', text: COSTS[settings.edge.metaServer] })
    await host.writeFile(EDGECORE_CONFIG, configuration(data, settings.documents.KubeletConfiguration), {
      mode: 0o600,
    })
    await templateFile(host, EDGECORE_UNIT_FILE, 'edge/node/edgecore.service', {
      bin: BIN,
      config: EDGECORE_CONFIG,
      link: secure ? METASERVER_LINK : undefined,
    })
  },
}

/** The user's KubeletConfiguration goes into edgecore's own kubelet, field by field. */
function configuration(data: Readonly<Record<string, unknown>>, kubelet: PlainDocument = {}): string {
  const document = parseDocument(render('edge/node/edgecore.yaml', data))
  for (const [field, value] of Object.entries(kubelet)) {
    if (field !== 'apiVersion' && field !== 'kind')
      document.setIn(['modules', 'edged', 'tailoredKubeletConfig', field], value)
  }
  return document.toString({ lineWidth: 0 })
}
