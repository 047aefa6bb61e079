/**
 * `EdgeConfiguration.cloudCore`, `.edgeCore` and `.edgeMesh`: parts of the components' own configurations, which are merged over
 * those that edgeadm writes. Maps go into maps; a list or a value takes the place of what is there.
 */

import { type Document, isMap } from 'yaml'
import { EDGE_KIND } from './edge-configuration.ts'
import type { ConfigFile } from './file.ts'
import type { Problems } from './problems.ts'
import type { PlainDocument } from './types.ts'

export interface Components {
  readonly cloudCore?: PlainDocument
  readonly edgeCore?: PlainDocument
  readonly edgeMesh?: PlainDocument
}

export const COMPONENTS = ['cloudCore', 'edgeCore', 'edgeMesh'] as const

const OWN = 'edgeadm sets it'
const CONTAINED = 'edge nodes are contained by it'

/** What edgeadm and the cluster rely on: path → why it cannot be changed here, or what changes it. */
const RESERVED: Readonly<Record<keyof Components, Readonly<Record<string, string>>>> = {
  cloudCore: {
    apiVersion: OWN,
    kind: OWN,
    'commonConfig.tunnelPort': OWN,
    'kubeAPIConfig.master': OWN,
    'kubeAPIConfig.kubeConfig': OWN,
    'featureGates.requireAuthorization': CONTAINED,
    'modules.cloudHub.enable': OWN,
    'modules.cloudHub.tlsCAFile': OWN,
    'modules.cloudHub.tlsCAKeyFile': OWN,
    'modules.cloudHub.tlsCertFile': OWN,
    'modules.cloudHub.tlsPrivateKeyFile': OWN,
    'modules.cloudHub.advertiseAddress': 'use edge.cloudAddresses',
    'modules.cloudHub.dnsNames': 'use edge.cloudAddresses',
    'modules.cloudHub.authorization': CONTAINED,
    'modules.cloudHub.websocket': OWN,
    'modules.cloudHub.https': OWN,
    'modules.cloudHub.unixsocket': OWN,
    'modules.edgeController.enable': OWN,
    'modules.dynamicController': OWN,
    'modules.cloudStream': 'use edge.stream',
    'modules.iptablesManager': 'use edge.stream',
  },
  edgeCore: {
    apiVersion: OWN,
    kind: OWN,
    database: OWN,
    edgecoreVersion: OWN,
    'featureGates.requireAuthorization': 'use edge.metaServer',
    'modules.edgeHub.enable': OWN,
    'modules.edgeHub.httpServer': 'use edge.cloudAddresses',
    'modules.edgeHub.token': OWN,
    'modules.edgeHub.tlsCaFile': OWN,
    'modules.edgeHub.tlsCertFile': OWN,
    'modules.edgeHub.tlsPrivateKeyFile': OWN,
    'modules.edgeHub.websocket.enable': OWN,
    'modules.edgeHub.websocket.server': 'use edge.cloudAddresses',
    'modules.edgeHub.quic': 'CloudCore serves WebSocket alone',
    'modules.edgeStream.enable': 'use edge.stream',
    'modules.edgeStream.server': 'use edge.cloudAddresses',
    'modules.edgeStream.tlsTunnelCAFile': OWN,
    'modules.edgeStream.tlsTunnelCertFile': OWN,
    'modules.edgeStream.tlsTunnelPrivateKeyFile': OWN,
    'modules.edged.enable': OWN,
    'modules.edged.hostnameOverride': 'use --node-name',
    'modules.edged.nodeIP': 'use node.ip',
    'modules.edged.nodeLabels': 'use node.labels',
    'modules.edged.podSandboxImage': OWN,
    'modules.edged.rootDirectory': OWN,
    'modules.edged.tailoredKubeletConfig.address': CONTAINED,
    'modules.edged.tailoredKubeletConfig.readOnlyPort': CONTAINED,
    'modules.edged.tailoredKubeletConfig.containerRuntimeEndpoint': 'use --cri-socket',
    'modules.edged.tailoredKubeletConfig.registerWithTaints': 'use node.taints',
    'modules.metaManager.enable': OWN,
    'modules.metaManager.metaServer': 'use edge.metaServer',
  },
  edgeMesh: {
    apiVersion: OWN,
    kind: OWN,
    'kubeAPIConfig.metaServer': OWN,
    'modules.edgeTunnel.psk': OWN,
    'modules.edgeTunnel.relayNodes': 'use edge.edgeMeshRelays',
  },
}

/** Whoever holds a join token reads what the cluster gives to edge nodes. */
const SECRET = 'modules.eventBus.mqttPassword'

/** Fields of wrong types and unknown ones are found with those of the other documents. */
export function resolveComponents(
  command: 'init' | 'join',
  file: ConfigFile | undefined,
  problems: Problems,
  warnings: string[],
): Components {
  const document = file?.documents.get(EDGE_KIND)
  const found: Record<string, PlainDocument> = {}
  for (const name of COMPONENTS) {
    const part = document?.value[name]
    if (document === undefined || !isPlainMap(part)) continue
    if (command === 'join' && name !== 'edgeCore') {
      warnings.push(`${document.where([name])}: is for \`edgeadm init\`, and a join leaves it alone`)
      continue
    }
    for (const [path, why] of Object.entries(RESERVED[name]))
      if (has(part, path.split('.')))
        problems.add(document.where([name, ...path.split('.')]), `cannot be changed: ${why}`)
    if (command === 'init' && name === 'edgeCore' && has(part, SECRET.split('.')))
      problems.add(
        document.where([name, ...SECRET.split('.')]),
        'whoever holds a join token could read it: give it to `edgeadm join` on the edge node',
      )
    found[name] = part
  }
  return found
}

/** Changes the document. */
export function mergeInto(document: Document, part: PlainDocument, path: readonly string[] = []): void {
  for (const [key, value] of Object.entries(part)) {
    const at = [...path, key]
    if (isPlainMap(value) && isMap(document.getIn(at))) mergeInto(document, value, at)
    else document.setIn(at, value)
  }
}

function isPlainMap(value: unknown): value is PlainDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function has(value: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true
  return isPlainMap(value) && Object.hasOwn(value, key) && has(value[key], rest)
}
