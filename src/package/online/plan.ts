/** What a machine needs that comes from nowhere but its publishers: the recipes' published sources, for one role. */

import { EdgeadmError } from '../../output/errors.ts'
import { VERSION } from '../../version.ts'
import { componentsDirectory, lookUp } from '../build/cache.ts'
import { cacheKeys } from '../build/keys.ts'
import { lackingAdditions } from '../build/missing-additions.ts'
import { planBuild, type Step } from '../build/plan.ts'
import { readRecipes } from '../build/read-recipe.ts'
import { type Component, fill, type Source, valuesOf } from '../build/recipe.ts'
import { pinOf } from '../build/sources/release.ts'
import { type Architecture, PACKAGE_SCHEMA, type PackageManifest } from '../manifest.ts'

/** Kubernetes' own registry, which `--image-repository` replaces. */
const KUBERNETES_REGISTRY = 'registry.k8s.io'

export interface OnlineWish {
  readonly recipes: readonly string[]
  readonly arch: Architecture
  /** Whether this machine needs a file of the package: `bin/kubelet`. */
  readonly wantsFile: (path: string) => boolean
  /** Whether this machine runs an image: `registry.k8s.io/pause:3.10`. */
  readonly wantsImage: (name: string) => boolean
  /** `--image-repository`; undefined: registry.k8s.io. */
  readonly imageRepository: string | undefined
  /** Where downloads and what becomes of them are kept. */
  readonly cache: string
  readonly signal: AbortSignal
}

export interface OnlineStep extends Step {
  readonly key: string
  /** Whether it was downloaded before. */
  readonly cached: boolean
  /** Whether the recipe says what its bytes are. */
  readonly pinned: boolean
}

export interface OnlinePlan {
  readonly kubernetesVersion: string
  readonly arch: Architecture
  readonly steps: readonly OnlineStep[]
  /** Whether an image's reference is the recipe's, and not one in a repository of the user's. */
  readonly isPublishers: (reference: string) => boolean
  /** What stays open because publishers' programs lack edgeadm's additions: one sentence each. */
  readonly open: readonly string[]
}

/** The version that the executable's recipes bring. */
export async function onlineVersion(recipes: readonly string[]): Promise<string> {
  return (await readRecipes(recipes)).kubernetesVersion
}

/** @throws EdgeadmError class `package`: something that is wanted is published nowhere */
export async function planOnline(wish: OnlineWish): Promise<OnlinePlan> {
  const { arch, cache, signal } = wish
  const { kubernetesVersion, components: all } = await readRecipes(wish.recipes)
  const components = all.map((component) => renamed(component, wish)).flatMap((each) => wanted(each, wish))
  const { steps } = planBuild(components, {
    with: [],
    without: [],
    choose: (component) => published(component),
  })
  const keys = await cacheKeys(steps, { arch, signal })
  const withKeys = await Promise.all(
    steps.map(async (step) => {
      const key = keys.get(step.component.name) as string
      const cached = (await lookUp(key, componentsDirectory(cache))) !== undefined
      return { ...step, key, cached, pinned: isPinned(step, arch) }
    }),
  )
  const references = all.flatMap(({ sources }) =>
    sources.flatMap((source) => (source.type === 'image' ? [source.reference] : [])),
  )
  return {
    kubernetesVersion,
    arch,
    steps: withKeys,
    isPublishers: (reference) => references.includes(reference),
    open: lackingAdditions(steps, all),
  }
}

/**
 * The manifest as far as it is known before anything was downloaded: names, no sizes, no sums. For the plan of a dry run,
 * which installs nothing of it.
 */
export function expectedManifest({ kubernetesVersion, arch, steps }: OnlinePlan): PackageManifest {
  const unknown = '0'.repeat(64)
  return {
    schema: PACKAGE_SCHEMA,
    kubernetesVersion,
    edgeVersion: VERSION,
    arch,
    components: steps.map(({ component: { name, version, licence }, source }) => ({
      name,
      version,
      licence,
      source: source.type,
    })),
    images: steps.flatMap(({ component }) =>
      component.image === undefined
        ? []
        : [{ name: fill(component.image, valuesOf(component, arch)), digest: `sha256:${unknown}`, size: 0 }],
    ),
    files: steps.flatMap(({ component }) =>
      Object.keys(component.files ?? {}).map((path) => ({
        path,
        size: 0,
        mode: 0o755,
        sha256: unknown,
        component: component.name,
      })),
    ),
  }
}

function published(component: Component): Source {
  const source = component.sources.find(({ type }) => type === 'release' || type === 'image')
  if (source !== undefined) return source
  throw new EdgeadmError(
    'package',
    `${component.name} is published nowhere: only an offline package can bring it`,
    {
      fix: 'build one where Go is installed with `edgeadm package build`, and name it with --install-pkg-path',
    },
  )
}

function wanted(component: Component, { arch, wantsFile, wantsImage }: OnlineWish): Component[] {
  const { files, image } = component
  if (image !== undefined) return wantsImage(fill(image, valuesOf(component, arch))) ? [component] : []
  const kept = Object.entries(files ?? {}).filter(([path]) => wantsFile(path))
  return kept.length === 0 ? [] : [{ ...component, files: Object.fromEntries(kept) }]
}

/** kubeadm looks for the control plane's images, CoreDNS and pause right below another repository, without folders. */
function renamed(component: Component, { imageRepository, arch }: OnlineWish): Component {
  if (imageRepository === undefined || imageRepository === KUBERNETES_REGISTRY) return component
  if (component.image?.startsWith(`${KUBERNETES_REGISTRY}/`) !== true) return component
  const name = fill(component.image, valuesOf(component, arch))
  const reference = `${imageRepository}/${name.slice(name.lastIndexOf('/') + 1)}`
  const sources = component.sources.map((source) =>
    source.type === 'image' ? { ...source, reference } : source,
  )
  return { ...component, image: reference, sources }
}

function isPinned({ source, programs }: Step, arch: Architecture): boolean {
  if (source.type === 'image') return source.digest !== undefined
  return source.type === 'release' && programs.every((name) => pinOf(source, arch, name) !== undefined)
}
