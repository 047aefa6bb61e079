/**
 * The fields of kubeadm's documents (cmd/kubeadm/app/apis/kubeadm/{v1beta3,v1beta4}/types.go). kubeadm only warns of a field
 * that it does not know, once per phase; edgeadm warns once, with file and line, and passes the field on.
 */

import type { ConfigDocument, FieldPath } from './file.ts'

/** `null`: a value or anything; an array: a list of such items; `{'*': …}`: any key. */
type Fields = { readonly [field: string]: Shape }
type Shape = null | Fields | readonly [Shape]

const typeMeta = { apiVersion: null, kind: null } as const
const image = { imageRepository: null, imageTag: null } as const
const volume = { name: null, hostPath: null, mountPath: null, readOnly: null, pathType: null } as const
const argument = { name: null, value: null } as const
const endpoint = { advertiseAddress: null, bindPort: null } as const
const bootstrapToken = {
  token: null,
  description: null,
  ttl: null,
  expires: null,
  usages: null,
  groups: null,
} as const
const timeouts = {
  controlPlaneComponentHealthCheck: null,
  kubeletHealthCheck: null,
  kubernetesAPICall: null,
  etcdAPICall: null,
  tlsBootstrap: null,
  discovery: null,
  upgradeManifests: null,
} as const

function fieldsOf(newer: boolean): Readonly<Record<string, Fields>> {
  const only = (fields: Fields): Fields => (newer ? fields : {})
  const older = (fields: Fields): Fields => (newer ? {} : fields)
  const args: Shape = newer ? [argument] : { '*': null }
  const component = { extraArgs: args, extraVolumes: [volume] as const, ...only({ extraEnvs: null }) }
  const node = {
    name: null,
    criSocket: null,
    taints: [{ key: null, value: null, effect: null, timeAdded: null }] as const,
    kubeletExtraArgs: args,
    ignorePreflightErrors: null,
    imagePullPolicy: null,
    ...only({ imagePullSerial: null }),
  }
  const run = {
    nodeRegistration: node,
    skipPhases: null,
    patches: { directory: null },
    ...only({ dryRun: null, timeouts }),
  }
  return {
    InitConfiguration: {
      ...typeMeta,
      ...run,
      bootstrapTokens: [bootstrapToken],
      localAPIEndpoint: endpoint,
      certificateKey: null,
    },
    JoinConfiguration: {
      ...typeMeta,
      ...run,
      caCertPath: null,
      discovery: {
        bootstrapToken: {
          token: null,
          apiServerEndpoint: null,
          caCertHashes: null,
          unsafeSkipCAVerification: null,
        },
        file: { kubeConfigPath: null },
        tlsBootstrapToken: null,
        ...older({ timeout: null }),
      },
      controlPlane: { localAPIEndpoint: endpoint, certificateKey: null },
    },
    ClusterConfiguration: {
      ...typeMeta,
      etcd: {
        local: {
          ...image,
          dataDir: null,
          extraArgs: args,
          serverCertSANs: null,
          peerCertSANs: null,
          ...only({ extraEnvs: null }),
        },
        external: { endpoints: null, httpEndpoints: null, caFile: null, certFile: null, keyFile: null },
      },
      networking: { serviceSubnet: null, podSubnet: null, dnsDomain: null },
      kubernetesVersion: null,
      controlPlaneEndpoint: null,
      apiServer: { ...component, certSANs: null, ...older({ timeoutForControlPlane: null }) },
      controllerManager: component,
      scheduler: component,
      dns: { ...image, ...only({ disabled: null }) },
      certificatesDir: null,
      imageRepository: null,
      featureGates: null,
      clusterName: null,
      ...only({
        proxy: { disabled: null },
        encryptionAlgorithm: null,
        certificateValidityPeriod: null,
        caCertificateValidityPeriod: null,
      }),
    },
    ResetConfiguration: {
      ...typeMeta,
      cleanupTmpDir: null,
      certificatesDir: null,
      criSocket: null,
      dryRun: null,
      force: null,
      ignorePreflightErrors: null,
      skipPhases: null,
      unmountFlags: null,
      timeouts,
    },
  }
}

export const EDGE_CONFIGURATION_FIELDS: Fields = {
  ...typeMeta,
  enableEdge: null,
  cni: null,
  package: { path: null, sha256: null, publicKey: null },
  node: { labels: { '*': null }, taints: [{ key: null, value: null, effect: null }] },
  edge: {
    runtime: null,
    metaServer: null,
    cloudAddresses: null,
    edgeMesh: null,
    edgeMeshRelays: null,
    edgeMeshGateways: null,
  },
  highAvailability: { mode: null, interface: null, virtualRouterId: null },
  reset: { removeNode: null },
}

/** Paths of fields that the document's version does not have. Documents of other groups (kubelet, kube-proxy) have none. */
export function unknownFields(document: ConfigDocument): FieldPath[] {
  const fields =
    document.kind === 'EdgeConfiguration'
      ? EDGE_CONFIGURATION_FIELDS
      : document.apiVersion.startsWith('kubeadm.k8s.io/')
        ? fieldsOf(document.apiVersion !== 'kubeadm.k8s.io/v1beta3')[document.kind]
        : undefined
  return fields ? search(document.value, fields, []) : []
}

function search(value: unknown, shape: Shape, path: FieldPath): FieldPath[] {
  if (shape === null || value === null || typeof value !== 'object') return []
  if (Array.isArray(shape)) {
    const [item] = shape as readonly [Shape]
    return Array.isArray(value) ? value.flatMap((entry, index) => search(entry, item, [...path, index])) : []
  }
  if (Array.isArray(value)) return []
  const fields = shape as Fields
  return Object.entries(value).flatMap(([key, entry]) => {
    const known = key in fields ? fields[key] : fields['*']
    return known === undefined ? [[...path, key]] : search(entry, known, [...path, key])
  })
}
