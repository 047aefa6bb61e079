/** `init` and `join` without a package: what this role needs is downloaded from its publishers, or from mirrors of them. */

import { clusterAddresses } from '../config/cluster-addresses.ts'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import { Ledger } from '../host/ledger.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { bytes } from '../output/text.ts'
import {
  type Architecture,
  attachedNetworks,
  type Download,
  expectedManifest,
  machineArchitecture,
  type OnlinePlan,
  type OnlineStep,
  type PackageManifest,
  ProxyChoice,
  planOnline,
  provision,
  readCredentials,
  roleNeedsFile,
  roleRunsImage,
  Servers,
  survey,
} from '../package/index.ts'
import { BIN, isEdge, isSuperEdge, packageRole } from '../phases/context.ts'

/** Downloads and what was made of them; each part is kept by the hash of what it is. */
export const ONLINE_CACHE = '/var/cache/edgeadm'

/** The recipe of Kubernetes itself; the version of an online installation is the executable's. */
export const ONLINE_RECIPE = 'kubernetes-1.33'

type Settings = InitSettings | JoinSettings

export interface Online<S extends Settings> {
  readonly settings: S
  readonly manifest: PackageManifest | undefined
}

/**
 * Whether a run without a package goes to the publishers: not where a distribution installed kubeadm, whose version is taken
 * then; and again where edgeadm itself put kubeadm, by an online run that this one goes on with.
 */
export async function wantsOnline(hasKubeadm: boolean, only: string | undefined): Promise<boolean> {
  if (only !== undefined) return false
  if (!hasKubeadm) return true
  if (process.getuid?.() !== 0) return false
  const entries = await new Ledger().entries()
  return entries.some((entry) => 'path' in entry && entry.path === `${BIN}/kubeadm`)
}

/**
 * Says what will be downloaded and, unless this is a dry run, downloads it.
 * @param cache where; tests have their own
 * @throws EdgeadmError class `package`: no way out, nothing answers, or what comes is wrong; `preflight`: no room
 */
export async function goOnline<S extends Settings>(
  settings: S,
  reporting: Reporting,
  { cache = ONLINE_CACHE, recipes = recipesFor(settings) } = {},
): Promise<Online<S>> {
  const { emit, signal } = reporting
  if (settings.package.downloads.offline) return { settings, manifest: undefined }
  checkPublished(settings)
  const plan = await planOnline({
    recipes,
    arch: machineArchitecture() as Architecture,
    cache,
    signal,
    imageRepository:
      settings.command === 'init' ? settings.imageRepository : settings.package.downloads.imageRepository,
    wantsFile: (path) => roleNeedsFile(packageRole(settings), path),
    wantsImage: (name) => roleRunsImage(packageRole(settings), name),
  })
  sayOpen(plan, settings, reporting)
  const servers = serversFor(settings, plan)
  let downloads: readonly Download[]
  try {
    downloads = await survey(plan, { ...reporting, servers })
  } catch (error) {
    // A dry run says what it can: the plan then lacks what would come from the servers.
    if (!settings.dryRun || !(error instanceof EdgeadmError) || error.class !== 'package') throw error
    emit({ type: 'warning', text: [messageOf(error), ...error.details, error.fix].join('; ') })
    return { settings, manifest: undefined }
  }
  sayDownloads(plan, downloads, settings.dryRun, reporting)
  if (settings.dryRun) return { settings: withPath(settings, cache), manifest: expectedManifest(plan) }
  const { path, manifest } = await provision(plan, { ...reporting, cache, servers, downloads })
  return { settings: withPath(settings, path), manifest }
}

function recipesFor(settings: Settings): string[] {
  const cloudSide = settings.command === 'init' && settings.cloudSide
  return [
    ...(settings.package.downloads.recipes ?? [ONLINE_RECIPE]),
    ...(settings.package.downloads.recipes === undefined && (cloudSide || isEdge(settings))
      ? ['kubeedge-1.23']
      : []),
    ...(settings.edge.edgeMesh === true ? ['edgemesh-1.16'] : []),
  ]
}

/** What edgeadm itself builds is in its packages only. */
function checkPublished(settings: Settings): void {
  const what =
    settings.ha.mode === 'haproxy-keepalived'
      ? { name: '--ha=haproxy-keepalived', group: 'load-balancer' }
      : settings.edge.runtime === 'superedge' && (isSuperEdge(settings) || settings.command === 'init')
        ? { name: '--edge-runtime=superedge', group: 'superedge' }
        : undefined
  if (what === undefined) return
  throw new EdgeadmError(
    'package',
    `${what.name} needs parts that no publisher has, and no package was given`,
    {
      fix: `build a package with \`edgeadm package build --with ${what.group}\`, and name it with --install-pkg-path`,
    },
  )
}

function sayOpen({ open }: OnlinePlan, settings: Settings, { emit }: Reporting): void {
  if (open.length > 0 && settings.edge.requireContained)
    throw new EdgeadmError(
      'package',
      "without a package the edge parts are their publisher's own, and --require-contained was given",
      {
        details: open,
        fix: 'build a package where Go is installed with `edgeadm package build`, and name it with --install-pkg-path',
      },
    )
  for (const text of open) emit({ type: 'warning', text })
}

/** Mirrors are asked for what is pinned: whatever they give is known by its hash. For the rest one has to trust them. */
function serversFor(settings: Settings, plan: OnlinePlan): (step: OnlineStep) => Servers {
  const { mirrors, registryMirrors, registryAuthFile, allowUnpinned } = settings.package.downloads
  const proxy = new ProxyChoice({ environment: process.env, direct: directFor(settings) })
  const common = {
    publishers: true,
    proxy,
    silent: new Map<string, string>(),
    ...(registryAuthFile === undefined ? {} : { credentials: readCredentials(registryAuthFile) }),
  }
  const all = new Servers({ ...common, mirrors, registryMirrors })
  const publishers = new Servers(common)
  // Of the user's own repository nothing is pinned, and its mirrors are the user's as well.
  const own = (step: OnlineStep) => step.source.type === 'image' && !plan.isPublishers(step.source.reference)
  return (step) => (step.pinned || allowUnpinned || own(step) ? all : publishers)
}

/** NO_PROXY: this machine, its networks, and all that is inside of the cluster. */
function directFor(settings: Settings): string[] {
  return [
    ...attachedNetworks(),
    settings.node.address,
    '169.254.30.10',
    '.svc',
    '.cluster.local',
    ...settings.edge.cloudAddresses,
    ...clusterAddresses(settings),
  ].filter((entry) => entry !== '')
}

function sayDownloads(
  { steps }: OnlinePlan,
  downloads: readonly Download[],
  dryRun: boolean,
  { emit }: Reporting,
): void {
  const unpinned = steps.filter(({ pinned, cached }) => !pinned && !cached)
  if (unpinned.length > 0)
    emit({
      type: 'warning',
      text: `edgeadm has no checksum of ${unpinned.map(({ component: { name, version } }) => `${name} ${version}`).join(', ')}: what their publishers give over TLS is taken`,
    })
  const cached = steps.filter((step) => step.cached).length
  const kept = cached === 0 ? '' : ` (${cached} of ${steps.length} components were downloaded before)`
  const total = downloads.reduce((sum, { size }) => sum + (size ?? 0), 0)
  const hosts = [...new Set(downloads.map(({ url }) => new URL(url).host))].join(', ')
  emit({
    type: 'output',
    text:
      downloads.length === 0
        ? `No package was given, and nothing has to be downloaded${kept}`
        : `No package was given: ${downloads.length} files, ${bytes(total)}, ${dryRun ? 'would be' : 'are'} downloaded from ${hosts}${kept}`,
  })
  if (!dryRun) return
  for (const { url, size, digest } of downloads) {
    const target = `${url} (${size === undefined ? 'size not known' : bytes(size)}, ${digest ?? 'no checksum known'})`
    emit({ type: 'change', phase: 'package', action: 'download', target })
  }
}

function withPath<S extends Settings>(settings: S, path: string): S {
  return { ...settings, package: { ...settings.package, path } }
}
