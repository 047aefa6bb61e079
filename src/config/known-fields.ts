/**
 * The fields of kubeadm's documents and their types (cmd/kubeadm/app/apis/kubeadm/{v1beta3,v1beta4}/types.go). kubeadm only
 * warns of a field that it does not know, once per phase; edgeadm warns once, with file and line, and passes the field on.
 * A value of a wrong type ends kubeadm, after changes: edgeadm refuses it before (field-types.ts).
 */

import { CLOUDCORE_FIELDS, EDGECORE_FIELDS, EDGEMESH_FIELDS } from './component-fields.ts'
import type { ConfigDocument, FieldPath } from './file.ts'
import { extraArgsAreList } from './kubeadm-api.ts'

/** A single value; durations and times are strings. */
type Value = 'string' | 'boolean' | 'number'
/** `null`: anything; an array: a list of such items; `{'*': …}`: any key. */
export type Fields = { readonly [field: string]: Shape }
export type Shape = null | Value | Fields | readonly [Shape]

const text: Value = 'string'
const flag: Value = 'boolean'
const texts: readonly [Shape] = [text]
const typeMeta = { apiVersion: text, kind: text } as const
const image = { imageRepository: text, imageTag: text } as const
const volume = { name: text, hostPath: text, mountPath: text, readOnly: flag, pathType: text } as const
const argument = { name: text, value: text } as const
const endpoint = { advertiseAddress: text, bindPort: 'number' } as const
const bootstrapToken = {
  token: text,
  description: text,
  ttl: text,
  expires: text,
  usages: texts,
  groups: texts,
} as const
const timeouts = {
  controlPlaneComponentHealthCheck: text,
  kubeletHealthCheck: text,
  kubernetesAPICall: text,
  etcdAPICall: text,
  tlsBootstrap: text,
  discovery: text,
  upgradeManifests: text,
} as const

/** Of the kubelet's own document only what edgeadm reads itself; its other fields are the kubelet's business. */
const KUBELET_FIELDS: Fields = {
  failSwapOn: flag,
  failCgroupV1: flag,
  protectKernelDefaults: flag,
  resolvConf: text,
  cgroupDriver: text,
  '*': null,
}

function fieldsOf(newer: boolean): Readonly<Record<string, Fields>> {
  const only = (fields: Fields): Fields => (newer ? fields : {})
  const older = (fields: Fields): Fields => (newer ? {} : fields)
  const args: Shape = newer ? [argument] : { '*': text }
  const component: Fields = {
    extraArgs: args,
    extraVolumes: [volume] as const,
    ...only({ extraEnvs: [null] }),
  }
  const node: Fields = {
    name: text,
    criSocket: text,
    taints: [{ key: text, value: text, effect: text, timeAdded: text }] as const,
    kubeletExtraArgs: args,
    ignorePreflightErrors: texts,
    imagePullPolicy: text,
    ...only({ imagePullSerial: flag }),
  }
  const run: Fields = {
    nodeRegistration: node,
    skipPhases: texts,
    patches: { directory: text },
    ...only({ dryRun: flag, timeouts }),
  }
  return {
    InitConfiguration: {
      ...typeMeta,
      ...run,
      bootstrapTokens: [bootstrapToken],
      localAPIEndpoint: endpoint,
      certificateKey: text,
    },
    JoinConfiguration: {
      ...typeMeta,
      ...run,
      caCertPath: text,
      discovery: {
        bootstrapToken: {
          token: text,
          apiServerEndpoint: text,
          caCertHashes: texts,
          unsafeSkipCAVerification: flag,
        },
        file: { kubeConfigPath: text },
        tlsBootstrapToken: text,
        ...older({ timeout: text }),
      },
      controlPlane: { localAPIEndpoint: endpoint, certificateKey: text },
    },
    ClusterConfiguration: {
      ...typeMeta,
      etcd: {
        local: {
          ...image,
          dataDir: text,
          extraArgs: args,
          serverCertSANs: texts,
          peerCertSANs: texts,
          ...only({ extraEnvs: [null] }),
        },
        external: { endpoints: texts, httpEndpoints: texts, caFile: text, certFile: text, keyFile: text },
      },
      networking: { serviceSubnet: text, podSubnet: text, dnsDomain: text },
      kubernetesVersion: text,
      controlPlaneEndpoint: text,
      apiServer: { ...component, certSANs: texts, ...older({ timeoutForControlPlane: text }) },
      controllerManager: component,
      scheduler: component,
      dns: { ...image, ...only({ disabled: flag }) },
      certificatesDir: text,
      imageRepository: text,
      featureGates: { '*': flag },
      clusterName: text,
      ...only({
        proxy: { disabled: flag },
        encryptionAlgorithm: text,
        certificateValidityPeriod: text,
        caCertificateValidityPeriod: text,
      }),
    },
    ResetConfiguration: {
      ...typeMeta,
      cleanupTmpDir: flag,
      certificatesDir: text,
      criSocket: text,
      dryRun: flag,
      force: flag,
      ignorePreflightErrors: texts,
      skipPhases: texts,
      unmountFlags: texts,
      timeouts,
    },
  }
}

export const EDGE_CONFIGURATION_FIELDS: Fields = {
  apiVersion: null,
  kind: null,
  enableEdge: null,
  cni: null,
  package: {
    path: null,
    sha256: null,
    publicKey: null,
    allowDowngrade: null,
    offline: null,
    assertOffline: null,
    siteNetworks: null,
    mirrors: null,
    registryMirrors: { '*': null },
    registryAuthFile: null,
    allowUnpinned: null,
    imageRepository: null,
    recipes: null,
  },
  node: { ip: null, labels: { '*': null }, taints: [{ key: null, value: null, effect: null }] },
  edge: {
    runtime: null,
    metaServer: null,
    cloudAddresses: null,
    requireContained: null,
    stream: null,
    edgeMesh: null,
    edgeMeshRelays: null,
    edgeMeshGateways: null,
  },
  highAvailability: { mode: null, interface: null, virtualRouterId: null },
  reset: { removeNode: null },
  cloudCore: CLOUDCORE_FIELDS,
  edgeCore: EDGECORE_FIELDS,
  edgeMesh: EDGEMESH_FIELDS,
}

/** What the fields of this document are; undefined where nothing is known of its kind. */
export function shapeOf({ kind, apiVersion }: ConfigDocument): Fields | undefined {
  if (kind === 'EdgeConfiguration') return EDGE_CONFIGURATION_FIELDS
  if (kind === 'KubeletConfiguration') return KUBELET_FIELDS
  return apiVersion.startsWith('kubeadm.k8s.io/') ? fieldsOf(extraArgsAreList(apiVersion))[kind] : undefined
}

/** Paths of fields that the document's version does not have. */
export function unknownFields(document: ConfigDocument): FieldPath[] {
  const fields = shapeOf(document)
  return fields ? search(document.value, fields, []) : []
}

function search(value: unknown, shape: Shape, path: FieldPath): FieldPath[] {
  if (shape === null || typeof shape === 'string' || value === null || typeof value !== 'object') return []
  if (Array.isArray(shape)) {
    const [item] = shape as readonly [Shape]
    return Array.isArray(value) ? value.flatMap((entry, index) => search(entry, item, [...path, index])) : []
  }
  if (Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => {
    const known = fieldOf(shape as Fields, key)
    return known === undefined ? [[...path, key]] : search(entry, known, [...path, key])
  })
}

/** Undefined: there is no such field. */
export function fieldOf(fields: Fields, key: string): Shape | undefined {
  return Object.hasOwn(fields, key) ? fields[key] : fields['*']
}
