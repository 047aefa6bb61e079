/** What the commands resolve alike: package, edge, balancer, addresses. The node itself is in `resolve-node.ts`. */

import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { detectAdvertiseAddress } from './address.ts'
import { resolveComponents } from './components.ts'
import {
  CNI_CHOICES,
  EDGE_KIND,
  EDGE_RUNTIMES,
  type EdgeSettings,
  HA_MODES,
  type HaSettings,
  META_SERVER_MODES,
  type PackageSettings,
} from './edge-configuration.ts'
import type { ConfigFile } from './file.ts'
import { type Field, field, Inputs, type Sourced } from './inputs.ts'
import { resolveMesh } from './mesh.ts'
import { hostProblem } from './names.ts'
import { Problems } from './problems.ts'
import { resolveDownloads } from './resolve-downloads.ts'
import type { HostFacts, UserDocuments, VersionFacts } from './types.ts'

export const DEFAULT_CRI_SOCKET = 'unix:///run/containerd/containerd.sock'
export const DEFAULT_CERT_DIR = '/etc/kubernetes/pki'

export interface ResolveInput<Flags> {
  readonly flags: Flags
  /** From `readConfigFile`; undefined without `--config`. */
  readonly file: ConfigFile | undefined
  readonly facts: HostFacts
  readonly versions: VersionFacts
}

/** What is passed around while one command's settings are resolved. */
export interface Resolution {
  readonly inputs: Inputs
  readonly problems: Problems
  readonly warnings: string[]
  readonly file: ConfigFile | undefined
}

export const edge = (path: string): Field => field(EDGE_KIND, path)

export function startResolution(flags: object, file: ConfigFile | undefined): Resolution {
  const problems = new Problems()
  return { inputs: new Inputs(flags, file, problems), problems, warnings: [...(file?.warnings ?? [])], file }
}

/** Adds a problem if `check` finds one, and returns the value either way. */
export function checked<T>(
  { problems }: Resolution,
  given: Sourced<T> | undefined,
  check: (value: T) => string | undefined,
): T | undefined {
  if (!given) return undefined
  const problem = check(given.value)
  if (problem) problems.add(given.where, problem)
  return given.value
}

export function oneOf<T extends string>(
  resolution: Resolution,
  given: Sourced<string> | undefined,
  choices: readonly T[],
  fallback: T,
): T {
  checked(resolution, given, (value) =>
    choices.includes(value as T) ? undefined : `"${value}" is none of ${choices.join(', ')}`,
  )
  return (given?.value as T | undefined) ?? fallback
}

export function resolvePackage(resolution: Resolution): PackageSettings {
  const { inputs } = resolution
  const sha256 = checked(resolution, inputs.text('install-pkg-sha256', edge('package.sha256')), (value) =>
    /^[0-9a-fA-F]{64}$/.test(value) ? undefined : 'expected a SHA-256 of 64 hexadecimal digits',
  )
  const path = checked(resolution, inputs.text('install-pkg-path', edge('package.path')), (value) =>
    value === '' ? 'the path is empty' : undefined,
  )
  const publicKey = checked(
    resolution,
    inputs.text('install-pkg-public-key', edge('package.publicKey')),
    () => (path === undefined ? 'no package was named whose signature it could check' : undefined),
  )
  return {
    path,
    sha256: sha256?.toLowerCase(),
    publicKey,
    allowDowngrade: inputs.bool('allow-downgrade', edge('package.allowDowngrade'))?.value ?? false,
    downloads: resolveDownloads(resolution),
  }
}

export function resolveEdge(resolution: Resolution, command: 'init' | 'join'): EdgeSettings {
  const { inputs, problems, file, warnings } = resolution
  const addresses = inputs.list('cloud-address', edge('edge.cloudAddresses'))
  for (const address of addresses?.value ?? []) {
    const problem = hostProblem(address)
    if (problem) problems.add(addresses?.where ?? '', problem)
  }
  return {
    runtime: oneOf(resolution, inputs.text('edge-runtime', edge('edge.runtime')), EDGE_RUNTIMES, 'kubeedge'),
    metaServer: oneOf(
      resolution,
      inputs.text('metaserver', edge('edge.metaServer')),
      META_SERVER_MODES,
      'secure',
    ),
    cloudAddresses: addresses?.value ?? [],
    requireContained: inputs.bool('require-contained', edge('edge.requireContained'))?.value ?? false,
    stream: inputs.bool('edge-stream', edge('edge.stream'))?.value,
    components: resolveComponents(command, file, problems, warnings),
    ...resolveMesh(inputs, problems),
  }
}

export function resolveHa(resolution: Resolution, facts: HostFacts): HaSettings {
  const { inputs } = resolution
  const mode = oneOf(resolution, inputs.text('ha', edge('highAvailability.mode')), HA_MODES, 'none')
  const router = checked(
    resolution,
    inputs.number('ha-virtual-router-id', edge('highAvailability.virtualRouterId')),
    (value) =>
      Number.isInteger(value) && value >= 1 && value <= 255 ? undefined : 'must be a number from 1 to 255',
  )
  const names = facts.interfaces.filter((one) => !one.loopback).map((one) => one.name)
  const network = checked(
    resolution,
    inputs.text('interface', edge('highAvailability.interface')),
    (value) =>
      names.includes(value)
        ? undefined
        : `there is no network interface "${value}"; there are ${names.join(', ')}`,
  )
  return { mode, interface: network, virtualRouterId: router }
}

export const resolveCni = (resolution: Resolution) =>
  oneOf(resolution, resolution.inputs.text('cni', edge('cni')), CNI_CHOICES, 'flannel')

/** The union of flag and file in lower case, sorted, as kubeadm takes it. */
export function resolveIgnored({ inputs, problems }: Resolution, inFile: Field): readonly string[] {
  const flag = inputs.list('ignore-preflight-errors')
  const file = inputs.list(undefined, inFile)
  const names = [...(flag?.value ?? []), ...(file?.value ?? [])].map((name) => name.trim().toLowerCase())
  const ignored = [...new Set(names)].sort()
  if (ignored.includes('all') && ignored.length > 1)
    problems.add((flag ?? file)?.where ?? '', "don't specify individual checks if 'all' is used")
  return ignored
}

function checkedAddress(resolution: Resolution, given: Sourced<string> | undefined): string | undefined {
  return checked(resolution, given, (value) => {
    if (isIP(value) === 0) return `"${value}" is not an IPv4 or IPv6 address`
    return value === '0.0.0.0' || value === '::'
      ? `cannot use "${value}" as the bind address for the API Server`
      : undefined
  })
}

/** Given by flag or file, else detected. Empty, with a problem, if this machine has none. */
export function resolveAddress(
  resolution: Resolution,
  given: Sourced<string> | undefined,
  facts: HostFacts,
): string {
  const address = checkedAddress(resolution, given) ?? detectAdvertiseAddress(facts)
  if (address) return address
  resolution.problems.add(
    '--apiserver-advertise-address',
    'no network interface of this machine has an address that others could reach',
  )
  return ''
}

export function checkedPort(resolution: Resolution, given: Sourced<number> | undefined): number | undefined {
  return checked(resolution, given, (value) =>
    Number.isInteger(value) && value >= 1 && value <= 65535
      ? undefined
      : 'the port must be a number from 1 to 65535',
  )
}

/** Any path; a relative one is meant from the working directory of the caller, as kubeadm takes it. */
export function anyPath(given: Sourced<string> | undefined): string | undefined {
  return given === undefined ? undefined : resolve(given.value)
}

export function absolutePath(resolution: Resolution, given: Sourced<string> | undefined): string | undefined {
  return checked(resolution, given, (value) =>
    value.startsWith('/') ? undefined : `"${value}" is not an absolute path`,
  )
}

/** The user's documents of these kinds as plain values. */
export function userDocuments(
  file: ConfigFile | undefined,
  kinds: readonly (keyof UserDocuments)[],
): UserDocuments {
  const entries = kinds.flatMap((kind) => {
    const document = file?.documents.get(kind)
    return document ? [[kind, document.value] as const] : []
  })
  return Object.fromEntries(entries)
}
