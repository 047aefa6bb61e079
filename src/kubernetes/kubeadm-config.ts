/**
 * The one configuration file that kubeadm is driven with: the user's documents as they are, completed and overruled by the
 * resolved settings. Holds the bootstrap token and the certificate key: write it with mode 0600.
 */

import { parseAllDocuments, stringify } from 'yaml'
import { formatDuration } from '../config/duration.ts'
import { extraArgsAreList, kubeadmApiVersion } from '../config/kubeadm-api.ts'
import type {
  InitSettings,
  JoinSettings,
  NodeSettings,
  PlainDocument,
  ResetSettings,
} from '../config/types.ts'
import { isAtLeast } from '../config/versions.ts'

type Mutable = Record<string, unknown>
type Kind = 'InitConfiguration' | 'ClusterConfiguration' | 'JoinConfiguration' | 'ResetConfiguration'

export interface DocumentOptions {
  /**
   * The images come from the package and are imported beside kubeadm's first phases: its pre-flight check must neither
   * pull them nor fail where nothing can be pulled from.
   */
  readonly imagesArePreloaded?: boolean
}

/** InitConfiguration, ClusterConfiguration, KubeletConfiguration and, if the user has one, KubeProxyConfiguration. */
export function initDocuments(settings: InitSettings, options: DocumentOptions = {}): string {
  return toYaml([
    pullPolicy(initConfiguration(settings), options),
    clusterConfiguration(settings),
    kubeletConfiguration(settings),
    settings.documents.KubeProxyConfiguration,
  ])
}

export function joinDocuments(settings: JoinSettings, options: DocumentOptions = {}): string {
  const document = begin('JoinConfiguration', settings)
  registration(document, settings)
  const discovery = sub(document, 'discovery')
  if (settings.discovery.kind === 'file') {
    delete discovery.bootstrapToken
    sub(discovery, 'file').kubeConfigPath = settings.discovery.path
  } else if (settings.discovery.kind === 'token') {
    const { token, endpoint, caCertHashes, unsafeSkipCAVerification } = settings.discovery
    delete discovery.file
    const bootstrap = sub(discovery, 'bootstrapToken')
    Object.assign(bootstrap, { token, apiServerEndpoint: endpoint })
    assignOrDelete(bootstrap, 'caCertHashes', caCertHashes.length > 0 ? caCertHashes : undefined)
    assignOrDelete(bootstrap, 'unsafeSkipCAVerification', unsafeSkipCAVerification || undefined)
  }
  assignOrDelete(discovery, 'tlsBootstrapToken', settings.tlsBootstrapToken)
  if (settings.controlPlane) {
    const { advertiseAddress, bindPort, certificateKey } = settings.controlPlane
    const controlPlane = sub(document, 'controlPlane')
    Object.assign(sub(controlPlane, 'localAPIEndpoint'), { advertiseAddress, bindPort })
    assignOrDelete(controlPlane, 'certificateKey', certificateKey)
  } else delete document.controlPlane
  return toYaml([pullPolicy(document, options)])
}

/** The same documents without what lets others into the cluster. */
export function withoutSecrets(text: string): string {
  return toYaml(
    parseAllDocuments(text).map((document) => {
      const plain = document.toJS() as Mutable
      const discovery = plain.discovery as Mutable | undefined
      delete discovery?.tlsBootstrapToken
      delete (discovery?.bootstrapToken as Mutable | undefined)?.token
      delete (plain.controlPlane as Mutable | undefined)?.certificateKey
      return plain as unknown as PlainDocument
    }),
  )
}

/** Undefined before Kubernetes 1.31, whose kubeadm has no ResetConfiguration: flags say it all there. */
export function resetDocuments(settings: ResetSettings, kubernetesVersion: string): string | undefined {
  if (!isAtLeast(kubernetesVersion, 31)) return undefined
  const document = begin('ResetConfiguration', { ...settings, kubernetesVersion })
  Object.assign(document, {
    // edgeadm has asked already.
    force: true,
    certificatesDir: settings.certDir,
    cleanupTmpDir: settings.cleanupTmpDir,
    ignorePreflightErrors: settings.ignorePreflightErrors,
  })
  assignOrDelete(document, 'criSocket', settings.criSocket)
  return toYaml([document])
}

function initConfiguration(settings: InitSettings): Mutable {
  const document = begin('InitConfiguration', settings)
  const [first, ...rest] = Array.isArray(document.bootstrapTokens)
    ? (document.bootstrapTokens as Mutable[])
    : []
  const { expires: _expires, ...kept } = first ?? {}
  document.bootstrapTokens = [
    { ...kept, token: settings.token, ttl: formatDuration(settings.tokenTtl) },
    ...rest,
  ]
  registration(document, settings)
  const { advertiseAddress, bindPort } = settings
  Object.assign(sub(document, 'localAPIEndpoint'), { advertiseAddress, bindPort })
  assignOrDelete(document, 'certificateKey', settings.certificateKey)
  return document
}

function clusterConfiguration(settings: InitSettings): Mutable {
  const document = begin('ClusterConfiguration', settings)
  Object.assign(document, {
    kubernetesVersion: settings.kubernetesVersion,
    certificatesDir: settings.certDir,
    imageRepository: settings.imageRepository,
  })
  assignOrDelete(document, 'controlPlaneEndpoint', settings.controlPlaneEndpoint)
  const networking = sub(document, 'networking')
  Object.assign(networking, { serviceSubnet: settings.serviceSubnet, dnsDomain: settings.dnsDomain })
  assignOrDelete(networking, 'podSubnet', settings.podSubnet)
  if (settings.certSANs.length > 0) sub(document, 'apiServer').certSANs = settings.certSANs
  if (Object.keys(settings.featureGates).length > 0) document.featureGates = settings.featureGates
  return document
}

/** The container runtime that edgeadm configures uses systemd's cgroups; the kubelet has to agree. */
function kubeletConfiguration(settings: InitSettings): PlainDocument {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    cgroupDriver: 'systemd',
    ...settings.documents.KubeletConfiguration,
  }
}

/** A copy of the user's document of this kind, in the user's API version, without what edgeadm itself carries out. */
function begin(kind: Kind, settings: Pick<InitSettings, 'documents' | 'kubernetesVersion'>): Mutable {
  const { documents, kubernetesVersion } = settings
  const anyVersion = (documents[kind] ?? documents.InitConfiguration ?? documents.ClusterConfiguration)
    ?.apiVersion
  const {
    skipPhases: _skipPhases,
    dryRun: _dryRun,
    ...rest
  } = structuredClone(documents[kind] ?? {}) as Mutable
  return { ...rest, apiVersion: anyVersion ?? kubeadmApiVersion(kubernetesVersion), kind }
}

/** A policy that the user's own document names stays. */
function pullPolicy(document: Mutable, { imagesArePreloaded }: DocumentOptions): Mutable {
  const target = sub(document, 'nodeRegistration')
  if (imagesArePreloaded) target.imagePullPolicy ??= 'Never'
  return document
}

function registration(document: Mutable, settings: InitSettings | JoinSettings): void {
  const { node, ignorePreflightErrors, patchesDirectory } = settings
  const target = sub(document, 'nodeRegistration')
  target.name = node.name
  target.criSocket = node.criSocket
  if (node.taints !== undefined) target.taints = node.taints
  if (ignorePreflightErrors.length > 0) target.ignorePreflightErrors = ignorePreflightErrors
  addLabels(target, node, String(document.apiVersion))
  if (node.kubeletAddress !== undefined)
    addArgument(target, 'node-ip', node.kubeletAddress, String(document.apiVersion))
  assignOrDelete(
    document,
    'patches',
    patchesDirectory === undefined ? undefined : { directory: patchesDirectory },
  )
}

/** Labels travel as the kubelet's `--node-labels`; those of the user's own argument stay, and a flag's beat them. */
function addLabels(target: Mutable, { labels }: NodeSettings, apiVersion: string): void {
  if (Object.keys(labels).length === 0) return
  const join = (known: unknown) => {
    const pairs = String(known ?? '')
      .split(',')
      .filter((pair) => pair !== '')
    const kept = pairs.filter((pair) => !((pair.split('=')[0] as string) in labels))
    return [...kept, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].join(',')
  }
  if (extraArgsAreList(apiVersion)) {
    const args = (target.kubeletExtraArgs ?? []) as Mutable[]
    const known = args.filter((one) => one.name === 'node-labels').map((one) => one.value)
    const value = join(known.join(','))
    target.kubeletExtraArgs = [
      ...args.filter((one) => one.name !== 'node-labels'),
      { name: 'node-labels', value },
    ]
  } else {
    const args = sub(target, 'kubeletExtraArgs')
    args['node-labels'] = join(args['node-labels'])
  }
}

/** An argument of the kubelet, unless the user's document has it. */
function addArgument(target: Mutable, name: string, value: string, apiVersion: string): void {
  if (extraArgsAreList(apiVersion)) {
    const args = (target.kubeletExtraArgs ?? []) as Mutable[]
    if (!args.some((one) => one.name === name)) target.kubeletExtraArgs = [...args, { name, value }]
  } else sub(target, 'kubeletExtraArgs')[name] ??= value
}

/** The map at a key, made if it is not there. */
function sub(parent: Mutable, key: string): Mutable {
  const known = parent[key]
  if (typeof known === 'object' && known !== null && !Array.isArray(known)) return known as Mutable
  const made: Mutable = {}
  parent[key] = made
  return made
}

function assignOrDelete(target: Mutable, key: string, value: unknown): void {
  if (value === undefined) delete target[key]
  else target[key] = value
}

/** YAML 1.1, as Kubernetes reads it, so that a word such as `on` or `012e4` comes out in quotes. */
function toYaml(documents: readonly (PlainDocument | undefined)[]): string {
  return documents
    .filter((document) => document !== undefined)
    .map((document) => stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n')
}
