/** What an upgrade finds on this machine: its role and versions, and the settings that init or join were given. */

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { parseDuration } from '../config/duration.ts'
import type { DownloadSettings } from '../config/edge-configuration.ts'
import type { UpgradeFlags } from '../config/flags.ts'
import { gatherFacts, resolveInit } from '../config/load.ts'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import type { Look } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../kubeedge/cluster-facts.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import type { PackageManifest } from '../package/index.ts'
import { ADMIN_CONF, INSTALLED_PACKAGE } from '../phases/context.ts'
import { gatherResetFacts } from '../phases/reset/facts.ts'
import type { UpgradeOptions } from '../phases/upgrade/context.ts'
import { clusterIsAt, hasPackage, kubeletVersion } from '../phases/upgrade/is-done.ts'
import { readState, type UpgradeState } from '../phases/upgrade/state.ts'
import { LITE } from '../superedge/paths.ts'
import { type OpenedPackage, openPackage } from './package.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'
import { recordedInput } from './recorded-input.ts'

export interface Found {
  readonly role: 'master' | 'worker' | 'edge'
  readonly nodeName: string
  /** What runs here, with its "v"; Kubernetes, or on an edge node KubeEdge. */
  readonly running: string
  readonly criSocket: string
  readonly state: UpgradeState | undefined
}

const DEFAULT_SOCKET = 'unix:///run/containerd/containerd.sock'
const MINUTES_FOR_DRAIN = 5

type Opened = Awaited<ReturnType<typeof openUpgrade>>

export interface Begun {
  readonly host: Look
  readonly found: Found
  readonly opened: Opened
  readonly upgrade: UpgradeOptions
}

/**
 * What every command with a package begins with: who may run it, where, and what the package has.
 * @param version as typed; it has to be the package's
 */
export async function beginUpgrade(
  command: 'upgrade plan' | 'upgrade apply' | 'upgrade node' | 'upgrade images',
  version: string | undefined,
  flags: UpgradeFlags,
  reporting: Reporting,
): Promise<Begun> {
  requireLinuxRoot(command, false)
  const host = readOnlyHost(reporting)
  const found = await findNode(host, hostname())
  const isForMaster = command === 'upgrade plan' || command === 'upgrade apply'
  if (isForMaster && found.role !== 'master')
    throw new EdgeadmError(
      'preflight',
      `${found.nodeName} is ${roleText(found)}, and \`edgeadm ${command}\` runs on a master`,
      {
        fix: 'run it on a master; after `edgeadm upgrade apply` there, `edgeadm upgrade node` here',
      },
    )
  const opened = await openUpgrade(flags, version, found, reporting)
  const upgrade = upgradeOptions(flags, isForMaster ? 'apply' : 'node', found, opened.to)
  return { host, found, opened, upgrade }
}

const roleText = ({ role }: Found): string => (role === 'edge' ? 'an edge node' : `a ${role}`)

/** @throws EdgeadmError class `preflight` for a machine that edgeadm did not make a node */
export async function findNode(host: Look, machine: string): Promise<Found> {
  const { role, nodeName, criSocket } = await gatherResetFacts(host, new Ledger(), machine)
  if (role === undefined)
    throw new EdgeadmError(
      'preflight',
      `${nodeName} is no node that edgeadm set up: there is nothing to upgrade`,
      {
        fix: 'run it on a node that `edgeadm init` or `edgeadm join` made',
      },
    )
  if ((await host.stat(LITE.unitFile)) !== undefined)
    throw new EdgeadmError(
      'preflight',
      `${nodeName} is a node of SuperEdge, which \`edgeadm upgrade\` does not know`,
      {
        fix: 'drain it, run `edgeadm reset` on it, and join it again with the new package',
      },
    )
  const kind = role === 'edge node' ? 'edge' : role
  return {
    role: kind,
    nodeName,
    running: await runningVersion(host, kind),
    criSocket: criSocket ?? DEFAULT_SOCKET,
    state: await readState(host),
  }
}

/** Of the API server's static Pod, of the kubelet's program, or of the package that the edge node was made from. */
async function runningVersion(host: Look, role: Found['role']): Promise<string> {
  if (role === 'master') {
    const manifest = await host.readFile('/etc/kubernetes/manifests/kube-apiserver.yaml')
    return /image: \S+\/kube-apiserver:(v\S+)/.exec(manifest ?? '')?.[1] ?? ''
  }
  if (role === 'worker') return (await kubeletVersion(host)) ?? ''
  const text = await host.readFile(INSTALLED_PACKAGE)
  const installed = text === undefined ? undefined : (JSON.parse(text) as PackageManifest)
  return installed?.components.find(({ name }) => name === 'kubeedge')?.version ?? ''
}

/** Whether the package is all here already, by a run that went through. */
export async function isUpgraded(
  host: Look,
  { role, running, state }: Found,
  { manifest, to }: { readonly manifest: PackageManifest; readonly to: string },
): Promise<boolean> {
  if (state !== undefined || running !== to || !(await hasPackage(host, manifest))) return false
  if (role !== 'master') return true
  return (await kubeletVersion(host)) === to && clusterIsAt(host, to)
}

/** @throws EdgeadmError class `usage` without a package, `preflight` while an upgrade to something else is under way */
async function openUpgrade(
  flags: UpgradeFlags,
  version: string | undefined,
  found: Found,
  reporting: Reporting,
): Promise<
  OpenedPackage & { readonly manifest: PackageManifest; readonly path: string; readonly to: string }
> {
  if (flags['install-pkg-path'] === undefined)
    throw new EdgeadmError('usage', 'an upgrade needs the package of the new version', {
      fix: 'give it with --install-pkg-path; `edgeadm package build --kubernetes-version 1.34` makes one',
    })
  const opened = await openPackage(flags, undefined, reporting)
  const { path, manifest } = opened
  if (manifest === undefined || path === undefined) throw new EdgeadmError('internal', 'there is no package')
  const offered = manifest.kubernetesVersion
  if (version !== undefined && `v${version.replace(/^v/, '')}` !== offered)
    throw new EdgeadmError('usage', `the package has Kubernetes ${offered}, and ${version} was asked for`, {
      fix: 'leave the version out, or give the package that has it',
    })
  const kubeEdge = manifest.components.find(({ name }) => name === 'kubeedge')?.version ?? ''
  const to = found.role === 'edge' ? kubeEdge : offered
  if (found.state !== undefined && found.state.to !== to)
    throw new EdgeadmError(
      'preflight',
      `an upgrade of this node to ${found.state.to} is under way, and the package has ${to}`,
      {
        fix: `go on with the package for ${found.state.to}${found.state.isPastAbort ? '' : ', or go back with `edgeadm upgrade abort`'}`,
      },
    )
  return { ...opened, path, manifest, to }
}

export function upgradeOptions(
  flags: UpgradeFlags,
  workflow: 'apply' | 'node',
  found: Found,
  to: string,
): UpgradeOptions {
  const given = flags['drain-timeout']
  const timeout = given === undefined ? MINUTES_FOR_DRAIN * 60_000 : parseDuration(given)
  if (timeout === undefined)
    throw new EdgeadmError('usage', `--drain-timeout ${given} is no duration; one looks like 5m or 90s`)
  return {
    id: found.state?.id ?? randomUUID(),
    workflow,
    from: found.state?.from ?? found.running,
    to,
    drain: flags.drain ?? true,
    drainTimeout: timeout,
    renewCertificates: flags['certificate-renewal'] ?? true,
    upgradeEtcd: flags['etcd-upgrade'] ?? true,
  }
}

interface Package {
  readonly path: string
  /** What it was verified with. */
  readonly publicKey?: string
  readonly manifest: PackageManifest
  readonly versions: OpenedPackage['versions']
}

/** As `init` had them, from what is on record here and in the cluster; the version is the new one. */
export async function masterSettings(
  host: Look,
  flags: UpgradeFlags,
  { path, publicKey, manifest, versions }: Package,
): Promise<InitSettings> {
  const recorded = await recordedInput('init', {}, host, 'edge')
  const facts = await kubectlGet<{ data?: Record<string, string> }>(host, ['configmap', FACTS_CONFIG_MAP], {
    namespace: NAMESPACE,
  })
  const edge = parseClusterFacts(facts?.data?.[FACTS_KEY])
  const flannel = await kubectlGet(host, ['daemonset', 'kube-flannel-ds', '-n', 'kube-flannel'])
  return resolveInit({
    flags: {
      ...recorded.flags,
      ...(edge === undefined ? {} : { 'cloud-address': [...edge.cloudAddresses] }),
      'enable-edge': edge !== undefined,
      cni: flannel === undefined ? 'none' : 'flannel',
      'kubernetes-version': manifest.kubernetesVersion,
      ...common(flags, path, publicKey),
    },
    file: recorded.file,
    facts: await gatherFacts(host),
    versions,
  })
}

function common(flags: UpgradeFlags, path: string, publicKey: string | undefined) {
  return {
    'install-pkg-path': path,
    ...(publicKey === undefined ? {} : { 'install-pkg-public-key': publicKey }),
    ...(flags['dry-run'] === true ? { 'dry-run': true } : {}),
    ...(flags['skip-phases'] === undefined ? {} : { 'skip-phases': flags['skip-phases'] }),
    ...(flags['ignore-preflight-errors'] === undefined
      ? {}
      : { 'ignore-preflight-errors': flags['ignore-preflight-errors'] }),
    ...(flags.patches === undefined ? {} : { patches: flags.patches }),
  }
}

/** An upgrade has a package. */
const NO_DOWNLOADS: DownloadSettings = {
  offline: true,
  assertOffline: false,
  siteNetworks: [],
  mirrors: [],
  registryMirrors: {},
  registryAuthFile: undefined,
  allowUnpinned: false,
  recipes: undefined,
  imageRepository: undefined,
}

/** Of a node that joined: its token is gone, and nothing that an upgrade does needs one. */
export function nodeSettings(
  found: Found,
  flags: UpgradeFlags,
  { path, publicKey, manifest }: Package,
): JoinSettings {
  return {
    command: 'join',
    role: found.role,
    kubernetesVersion: manifest.kubernetesVersion,
    node: {
      name: found.nodeName,
      address: '',
      isAddressGiven: false,
      kubeletAddress: undefined,
      criSocket: found.criSocket,
      labels: {},
      taints: undefined,
    },
    package: {
      path,
      sha256: undefined,
      publicKey,
      allowDowngrade: flags['allow-downgrade'] === true,
      downloads: NO_DOWNLOADS,
    },
    edge: {
      runtime: 'kubeedge',
      metaServer: 'secure',
      cloudAddresses: [],
      requireContained: false,
      edgeMesh: undefined,
      edgeMeshRelays: [],
      edgeMeshGateways: [],
      stream: undefined,
      components: {},
    },
    ha: { mode: 'none', interface: undefined, virtualRouterId: undefined },
    cni: 'flannel',
    dryRun: flags['dry-run'] === true,
    skipPhases: flags['skip-phases'] ?? [],
    ignorePreflightErrors: (flags['ignore-preflight-errors'] ?? []).map((name) => name.toLowerCase()),
    patchesDirectory: flags.patches,
    documents: {},
    warnings: [],
    discovery: { kind: 'file', path: ADMIN_CONF },
    tlsBootstrapToken: undefined,
    controlPlane: undefined,
  }
}
