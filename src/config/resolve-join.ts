import { decodeTicket } from '../kubeedge/edge-ticket.ts'
import { checkDocuments } from './check-documents.ts'
import { checkJoinFamilies } from './check-families.ts'
import type { JoinFlags } from './flags.ts'
import { field, type Sourced } from './inputs.ts'
import { formatHostPort, parseHostPort } from './names.ts'
import {
  anyPath,
  checked,
  checkedPort,
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
import { caCertHashProblem, certificateKeyProblem, tokenProblem } from './tokens.ts'
import type { HostFacts, JoinDiscovery, JoinSettings, Role } from './types.ts'
import { resolveVersion } from './versions.ts'

const join = (path: string) => field('JoinConfiguration', path)

export interface JoinInput extends ResolveInput<JoinFlags> {
  /** The positional argument: `host:port` of the API server. */
  readonly endpoint: string | undefined
}

/**
 * Flags, argument, file and machine to the settings of `join`. A flag beats the file.
 * @throws EdgeadmError class `usage` with every problem there is
 */
export function resolveJoin(input: JoinInput): JoinSettings {
  const { flags, file, facts, versions, endpoint } = input
  const resolution = startResolution(flags, file)
  const { inputs, problems, warnings } = resolution
  const version = resolveVersion(undefined, versions)
  const kubernetesVersion = 'version' in version ? version.version : ''
  checkDocuments(resolution, kubernetesVersion, ['JoinConfiguration'])

  const token = inputs.text('token')
  const discovery = resolveDiscovery(resolution, endpoint, token)
  const tlsToken =
    inputs.text('tls-bootstrap-token') ?? token ?? inputs.text(undefined, join('discovery.tlsBootstrapToken'))
  const ownToken = checked(resolution, tlsToken, tokenProblem)
  const advertise =
    inputs.text('apiserver-advertise-address', join('controlPlane.localAPIEndpoint.advertiseAddress')) ??
    firstNodeIp(resolution, facts)
  const controlPlane = resolveControlPlane(resolution, facts)
  const role = resolveRole(resolution, controlPlane !== undefined)
  const edgeSettings = resolveEdge(resolution, 'join')
  const runsEdgeCore = role === 'edge' && edgeSettings.runtime === 'kubeedge'
  warnIgnoredDocuments(resolution, runsEdgeCore)
  if (discovery.kind === 'ticket' && edgeSettings.runtime === 'superedge')
    problems.add(
      '--edge-runtime',
      'superedge joins with a bootstrap token: an edge token leads to CloudCore alone',
    )

  const settings: JoinSettings = {
    command: 'join',
    role,
    kubernetesVersion,
    node: resolveNode(resolution, 'JoinConfiguration', facts, {
      address: controlPlane?.advertiseAddress ?? resolveAddress(resolution, undefined, facts),
      isGiven: advertise !== undefined,
    }),
    package: resolvePackage(resolution),
    edge: edgeSettings,
    ha: resolveHa(resolution, facts),
    cni: resolveCni(resolution),
    dryRun: inputs.bool('dry-run', join('dryRun'))?.value ?? false,
    skipPhases: inputs.list('skip-phases', join('skipPhases'))?.value ?? [],
    ignorePreflightErrors: resolveIgnored(resolution, join('nodeRegistration.ignorePreflightErrors')),
    patchesDirectory: anyPath(inputs.text('patches', join('patches.directory'))),
    // On an edge node edgecore is the kubelet, and this machine's file is where it is configured.
    documents: userDocuments(
      file,
      runsEdgeCore ? ['JoinConfiguration', 'KubeletConfiguration'] : ['JoinConfiguration'],
    ),
    warnings,
    discovery,
    tlsBootstrapToken: ownToken ?? (discovery.kind === 'token' ? discovery.token : undefined),
    controlPlane,
  }
  checkJoinFamilies(problems, settings)
  problems.throwIfAny()
  return settings
}

function resolveDiscovery(
  resolution: Resolution,
  argument: string | undefined,
  token: Sourced<string> | undefined,
): JoinDiscovery {
  const { inputs, problems } = resolution
  const edgeToken = inputs.text('edge-token')
  if (edgeToken) return resolveTicket(resolution, edgeToken, argument)
  const file = inputs.text('discovery-file', join('discovery.file.kubeConfigPath'))
  const endpoint = argument
    ? { value: argument, where: 'the API server endpoint' }
    : inputs.text(undefined, join('discovery.bootstrapToken.apiServerEndpoint'))
  if (file && !(argument && file.where !== '--discovery-file')) {
    if (argument || inputs.text('discovery-token'))
      problems.add(
        file.where,
        'bootstrapToken and file cannot both be set: give an endpoint with a token, or a discovery file',
      )
    if (/^[a-z][a-z0-9+.-]*:/i.test(file.value) && !file.value.startsWith('https://'))
      problems.add(file.where, 'if a URL is used, the scheme must be https')
    return { kind: 'file', path: file.value }
  }
  if (!endpoint)
    problems.add(
      '',
      'the API server endpoint is missing: edgeadm join HOST:PORT --token … --discovery-token-ca-cert-hash sha256:…',
    )
  const discoveryToken =
    inputs.text('discovery-token') ?? token ?? inputs.text(undefined, join('discovery.bootstrapToken.token'))
  if (!discoveryToken)
    problems.add(
      '--token',
      'the bootstrap token is missing; edgeadm token create --print-join-command on a master makes one',
    )
  const hashes = inputs.list('discovery-token-ca-cert-hash', join('discovery.bootstrapToken.caCertHashes'))
  for (const hash of hashes?.value ?? []) {
    const problem = caCertHashProblem(hash)
    if (problem) problems.add(hashes?.where ?? '', problem)
  }
  const unsafe =
    inputs.bool(
      'discovery-token-unsafe-skip-ca-verification',
      join('discovery.bootstrapToken.unsafeSkipCAVerification'),
    )?.value ?? false
  if (!unsafe && (hashes?.value.length ?? 0) === 0)
    problems.add(
      '--discovery-token-ca-cert-hash',
      'is missing: without it anyone who knows the token could pose as the control plane; --discovery-token-unsafe-skip-ca-verification accepts that',
    )
  return {
    kind: 'token',
    token: checked(resolution, discoveryToken, tokenProblem) ?? '',
    endpoint: resolveEndpoint(resolution, endpoint),
    caCertHashes: (hashes?.value ?? []).map((hash) => hash.toLowerCase()),
    unsafeSkipCAVerification: unsafe,
  }
}

/** Without the API server nothing else vouches for the cluster, and nothing but an edge node can join. */
function resolveTicket(
  { inputs, problems }: Resolution,
  given: Sourced<string>,
  argument: string | undefined,
): JoinDiscovery {
  if (argument !== undefined || inputs.text('token') || inputs.text('discovery-file'))
    problems.add(
      given.where,
      'says everything about the cluster: give neither an endpoint nor another token beside it',
    )
  if (inputs.bool('control-plane')?.value || inputs.bool('enable-edge', edge('enableEdge'))?.value === false)
    problems.add(given.where, 'is for edge nodes: a worker or a master joins with a bootstrap token')
  const ticket = decodeTicket(given.value)
  if (ticket === undefined) {
    problems.add(
      given.where,
      'is damaged; `edgeadm token create --edge --print-join-command` makes a new one',
    )
    return { kind: 'file', path: '' }
  }
  return { kind: 'ticket', ticket }
}

/** kubeadm wants the port written out on join. */
function resolveEndpoint({ problems }: Resolution, given: Sourced<string> | undefined): string {
  if (!given) return ''
  if (given.value.includes('://')) {
    problems.add(given.where, `"${given.value}" is a URL; give HOST:PORT, without a scheme`)
    return ''
  }
  const parsed = parseHostPort(given.value)
  if (typeof parsed === 'string') problems.add(given.where, parsed)
  else if (parsed.port === undefined)
    problems.add(given.where, `"${given.value}" has no port; the API server's is usually 6443`)
  else return formatHostPort(parsed.host, parsed.port)
  return ''
}

function resolveControlPlane(resolution: Resolution, facts: HostFacts): JoinSettings['controlPlane'] {
  const { inputs, problems } = resolution
  const inFile = inputs.object(join('controlPlane'))
  const wanted = inputs.bool('control-plane')?.value ?? inFile !== undefined
  const address = inputs.text(
    'apiserver-advertise-address',
    join('controlPlane.localAPIEndpoint.advertiseAddress'),
  )
  const port = inputs.number('apiserver-bind-port', join('controlPlane.localAPIEndpoint.bindPort'))
  const key = inputs.text('certificate-key', join('controlPlane.certificateKey'))
  if (!wanted) {
    for (const given of [address, port, key])
      if (given) problems.add(given.where, 'is for masters; it needs --control-plane')
    return undefined
  }
  return {
    advertiseAddress: resolveAddress(resolution, address ?? firstNodeIp(resolution, facts), facts),
    bindPort: checkedPort(resolution, port) ?? 6443,
    certificateKey: checked(resolution, key, certificateKeyProblem),
  }
}

/** An edge node by default; a master is no edge node, whatever a command line written for SuperEdge says. */
function resolveRole({ inputs, warnings }: Resolution, isMaster: boolean): Role {
  const given = inputs.bool('enable-edge', edge('enableEdge'))
  if (!isMaster) return given?.value === false ? 'worker' : 'edge'
  if (given?.value === true)
    warnings.push(`${given.where}: a master does not become an edge node; it joins as a master`)
  return 'master'
}

function warnIgnoredDocuments({ file, warnings }: Resolution, isEdge: boolean): void {
  for (const kind of ['KubeletConfiguration', 'KubeProxyConfiguration'] as const) {
    const document = file?.documents.get(kind)
    if (document && !isEdge)
      warnings.push(
        `${document.where(['kind'])}: join takes ${kind} from the cluster; change this node's with --patches`,
      )
  }
}
