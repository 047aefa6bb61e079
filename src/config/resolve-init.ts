import { isIP } from 'node:net'
import { checkDocuments } from './check-documents.ts'
import { checkInitFamilies } from './check-families.ts'
import { checkNetworks } from './check-networks.ts'
import { parseDuration } from './duration.ts'
import type { HaSettings } from './edge-configuration.ts'
import type { InitFlags } from './flags.ts'
import { field } from './inputs.ts'
import { MESH_DNS_DOMAIN } from './mesh.ts'
import { formatHostPort, hostOf, hostProblem, parseHostPort, subdomainProblem } from './names.ts'
import {
  absolutePath,
  anyPath,
  checked,
  checkedPort,
  DEFAULT_CERT_DIR,
  edge,
  type Resolution,
  type ResolveInput,
  resolveAddress,
  resolveCni,
  resolveEdge,
  resolveHa,
  resolveIgnored,
  resolvePackage,
  startResolution,
  userDocuments,
} from './resolve-common.ts'
import { firstNodeIp, resolveNode } from './resolve-node.ts'
import { certificateKeyProblem, generateCertificateKey, generateToken, tokenProblem } from './tokens.ts'
import type { InitSettings } from './types.ts'
import { DEFAULT_KUBERNETES_VERSION, resolveVersion } from './versions.ts'

const FLANNEL_POD_SUBNET = '10.244.0.0/16'
const DAY = 86_400_000
const init = (path: string) => field('InitConfiguration', path)
const cluster = (path: string) => field('ClusterConfiguration', path)

/**
 * Flags, file and machine to the settings of `init`. A flag beats the file.
 * @throws EdgeadmError class `usage` (or `package`, if only the version is not in it) with every problem there is
 */
export function resolveInit(input: ResolveInput<InitFlags>): InitSettings {
  const { flags, file, facts, versions } = input
  const resolution = startResolution(flags, file)
  const { inputs, problems, warnings } = resolution

  const wanted = inputs.text('kubernetes-version', cluster('kubernetesVersion'))
  const version = resolveVersion(wanted?.value, versions)
  if ('problem' in version) problems.add(wanted?.where ?? '', version.problem, version.class)
  const kubernetesVersion = 'version' in version ? version.version : DEFAULT_KUBERNETES_VERSION
  checkDocuments(resolution, kubernetesVersion, ['InitConfiguration', 'ClusterConfiguration'])

  const cni = resolveCni(resolution)
  const bindPort =
    checkedPort(resolution, inputs.number('apiserver-bind-port', init('localAPIEndpoint.bindPort'))) ?? 6443
  const ha = resolveHa(resolution, facts)
  const controlPlaneEndpoint = resolveEndpoint(resolution, ha, bindPort)
  const pod = inputs.text('pod-network-cidr', cluster('networking.podSubnet'))
  const podSubnet = pod?.value || (cni === 'flannel' ? FLANNEL_POD_SUBNET : undefined)
  const service = inputs.text('service-cidr', cluster('networking.serviceSubnet'))
  const serviceSubnet = service?.value || '10.96.0.0/12'
  const podSource =
    podSubnet === undefined ? undefined : { value: podSubnet, where: pod?.where ?? '--pod-network-cidr' }
  const serviceSource = { value: serviceSubnet, where: service?.where ?? '--service-cidr' }
  checkNetworks(problems, podSource, serviceSource, facts, nodeMasks(input))

  const token = checked(resolution, inputs.text('token', init('bootstrapTokens.0.token')), tokenProblem)
  const uploadCerts = inputs.bool('upload-certs')?.value ?? false
  const key = checked(
    resolution,
    inputs.text('certificate-key', init('certificateKey')),
    certificateKeyProblem,
  )
  const advertise =
    inputs.text('apiserver-advertise-address', init('localAPIEndpoint.advertiseAddress')) ??
    firstNodeIp(resolution, facts)
  const advertiseAddress = resolveAddress(resolution, advertise, facts)
  const edgeSettings = resolveEdge(resolution, 'init')
  const dnsDomain = resolveDnsDomain(resolution, edgeSettings.edgeMesh === true)

  const settings: InitSettings = {
    command: 'init',
    role: 'master',
    cloudSide: inputs.bool('enable-edge', edge('enableEdge'))?.value ?? true,
    kubernetesVersion,
    node: resolveNode(resolution, 'InitConfiguration', facts, {
      address: advertiseAddress,
      isGiven: advertise !== undefined,
    }),
    package: resolvePackage(resolution),
    edge: {
      ...edgeSettings,
      cloudAddresses:
        edgeSettings.cloudAddresses.length > 0
          ? edgeSettings.cloudAddresses
          : [controlPlaneEndpoint === undefined ? advertiseAddress : hostOf(controlPlaneEndpoint)],
    },
    ha,
    cni,
    dryRun: inputs.bool('dry-run', init('dryRun'))?.value ?? false,
    skipPhases: inputs.list('skip-phases', init('skipPhases'))?.value ?? [],
    ignorePreflightErrors: resolveIgnored(resolution, init('nodeRegistration.ignorePreflightErrors')),
    patchesDirectory: anyPath(inputs.text('patches', init('patches.directory'))),
    documents: userDocuments(file, [
      'InitConfiguration',
      'ClusterConfiguration',
      'KubeletConfiguration',
      'KubeProxyConfiguration',
    ]),
    warnings,
    advertiseAddress,
    bindPort,
    controlPlaneEndpoint,
    certSANs: resolveCertSANs(resolution),
    podSubnet,
    serviceSubnet,
    dnsDomain: dnsDomain ?? 'cluster.local',
    imageRepository: resolveRegistry(resolution) ?? 'registry.k8s.io',
    certDir:
      absolutePath(resolution, inputs.text('cert-dir', cluster('certificatesDir'))) ?? DEFAULT_CERT_DIR,
    featureGates: resolveFeatureGates(resolution),
    token: token ?? generateToken(),
    tokenTtl: resolveTtl(resolution),
    uploadCerts,
    certificateKey: key ?? (uploadCerts ? generateCertificateKey() : undefined),
    skipTokenPrint: inputs.bool('skip-token-print')?.value ?? false,
    skipCertificateKeyPrint: inputs.bool('skip-certificate-key-print')?.value ?? false,
  }
  checkInitFamilies(problems, settings, {
    pod: podSource?.where ?? '--pod-network-cidr',
    service: serviceSource.where,
  })
  problems.throwIfAny()
  return settings
}

function resolveDnsDomain(resolution: Resolution, withMesh: boolean): string | undefined {
  const given = resolution.inputs.text('service-dns-domain', cluster('networking.dnsDomain'))
  return checked(resolution, given, (domain) =>
    withMesh && domain !== MESH_DNS_DOMAIN
      ? `EdgeMesh knows only the DNS domain ${MESH_DNS_DOMAIN}, not ${domain}: leave it out, or --edgemesh`
      : subdomainProblem(domain),
  )
}

/** Without a port: kubeadm takes the API server's; behind haproxy on the masters themselves it is 8443, since 6443 is taken. */
function resolveEndpoint(resolution: Resolution, ha: HaSettings, bindPort: number): string | undefined {
  const { inputs, problems } = resolution
  const given = inputs.text('control-plane-endpoint', cluster('controlPlaneEndpoint'))
  if (!given || given.value === '') {
    if (ha.mode !== 'none')
      problems.add(`--ha=${ha.mode}`, 'needs --control-plane-endpoint, the address that it balances')
    return undefined
  }
  const parsed = parseHostPort(given.value)
  if (typeof parsed === 'string') {
    problems.add(given.where, parsed)
    return undefined
  }
  const own = ha.mode === 'haproxy-keepalived'
  if (own && isIP(parsed.host) === 0)
    problems.add(
      given.where,
      `--ha=haproxy-keepalived needs the virtual IP address here, not the name "${parsed.host}"`,
    )
  if (own && parsed.port === bindPort)
    problems.add(
      given.where,
      `port ${bindPort} is the API server's own on every master; haproxy needs another, such as 8443`,
    )
  return formatHostPort(parsed.host, parsed.port ?? (own ? 8443 : bindPort))
}

function resolveCertSANs(resolution: Resolution): readonly string[] {
  const given = resolution.inputs.list('apiserver-cert-extra-sans', cluster('apiServer.certSANs'))
  return (given?.value ?? []).map((name) => {
    const lower = name.toLowerCase()
    const problem = hostProblem(lower.replace(/^\*\./, ''))
    if (problem) resolution.problems.add(given?.where ?? '', problem)
    return lower
  })
}

function resolveRegistry(resolution: Resolution): string | undefined {
  return checked(
    resolution,
    resolution.inputs.text('image-repository', cluster('imageRepository')),
    (value) =>
      /^[A-Za-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/.test(value)
        ? undefined
        : `"${value}" has an invalid image repository format`,
  )
}

function resolveFeatureGates({ inputs, problems }: Resolution): Readonly<Record<string, boolean>> {
  const gates: Record<string, boolean> = {}
  const fromFile = inputs.object(cluster('featureGates'))
  for (const [name, value] of Object.entries(fromFile?.value ?? {})) {
    if (typeof value === 'boolean') gates[name] = value
    else problems.add(fromFile?.where ?? '', `"${name}" must be true or false`)
  }
  const words = inputs.text('feature-gates')?.value.split(',') ?? []
  for (const word of words.filter((one) => one.trim() !== '')) {
    const match = /^\s*(\w+)=(true|false)\s*$/i.exec(word)
    if (match) gates[match[1] as string] = match[2]?.toLowerCase() === 'true'
    else problems.add('--feature-gates', `"${word}" is not NAME=true or NAME=false`)
  }
  return gates
}

/** An `expires` of the file becomes a ttl: kubeadm 1.33 takes `expires` for a contradiction to the ttl that it itself fills in. */
function resolveTtl(resolution: Resolution): number {
  const { inputs, problems } = resolution
  const given = inputs.text('token-ttl', init('bootstrapTokens.0.ttl'))
  const expires = inputs.text(undefined, init('bootstrapTokens.0.expires'))
  if (given) {
    const ttl = parseDuration(given.value)
    if (ttl === undefined || ttl < 0)
      problems.add(given.where, `"${given.value}" is not a duration; one looks like 24h0m0s, 30m or 0`)
    if (expires && given.where !== '--token-ttl')
      problems.add(expires.where, 'ttl and expires are mutually exclusive')
    return ttl ?? DAY
  }
  if (!expires) return DAY
  const left = Math.floor((Date.parse(expires.value) - Date.now()) / 1000) * 1000
  if (!(left > 0)) problems.add(expires.where, `"${expires.value}" is no time in the future`)
  return left
}

/** The user's `node-cidr-mask-size-*` for the controller manager; null if it allocates no node networks. */
function nodeMasks({ file }: ResolveInput<InitFlags>): { 4?: number; 6?: number } | null {
  const manager = file?.documents.get('ClusterConfiguration')?.value.controllerManager as
    | { extraArgs?: Record<string, unknown> | { name?: string; value?: unknown }[] }
    | undefined
  const args = manager?.extraArgs
  const argument = (name: string) =>
    Array.isArray(args) ? args.findLast((one) => one?.name === name)?.value : args?.[name]
  if (String(argument('allocate-node-cidrs')) === 'false') return null
  const both = argument('node-cidr-mask-size')
  const of = (name: string) => {
    const value = argument(name) ?? both
    return value === undefined ? undefined : Number(value)
  }
  const [four, six] = [of('node-cidr-mask-size-ipv4'), of('node-cidr-mask-size-ipv6')]
  return { ...(four === undefined ? {} : { 4: four }), ...(six === undefined ? {} : { 6: six }) }
}
