import { join } from 'node:path'
import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { VERSION } from '../../version.ts'
import { sha256Of } from '../fetch.ts'
import type { Architecture, PackageManifest } from '../manifest.ts'
import { packageFileName } from '../paths.ts'
import { readKey } from '../signature.ts'
import { hostDistribution } from './apt-sources.ts'
import { assemble } from './assemble.ts'
import { cacheKey, lookUp, lookUpOrMake } from './cache.ts'
import { chooseSources, type SourceChoice } from './choose.ts'
import { makeComponent } from './make.ts'
import { planBuild, type Step } from './plan.ts'
import { readRecipes } from './read-recipe.ts'
import type { MadeComponent } from './record.ts'
import { ensurePackages, requiredPackages } from './requirements.ts'
import { goVersion } from './sources/go.ts'

export interface BuildOptions extends Reporting {
  /** Recipes (paths, or names of those that come with edgeadm), in the format of packages-manifests/README.md. */
  readonly recipes: readonly string[]
  readonly arch: Architecture
  readonly outputDirectory: string
  readonly source?: SourceChoice
  /** Base URL that serves the publishers' paths and the registries' /v2/. */
  readonly mirror?: string
  /** Component -> file of the user's. */
  readonly archives: Readonly<Record<string, string>>
  readonly with: readonly string[]
  readonly without: readonly string[]
  /** Path of an ed25519 private key (PEM). */
  readonly signKey?: string
}

export interface BuildResult {
  readonly path: string
  readonly manifest: PackageManifest
}

/** Makes whatever is not in the cache and writes the package. */
export async function buildPackage(options: BuildOptions): Promise<BuildResult> {
  const { emit, signal, arch } = options
  const signKey = options.signKey === undefined ? undefined : readKey(options.signKey, 'private')
  const { kubernetesVersion, components } = await readRecipes(options.recipes)
  const choose = await chooseSources(components, options)
  const plan = planBuild(components, { with: options.with, without: options.without, choose })
  for (const name of plan.left)
    emit({
      type: 'output',
      text: `Leaving out ${name}: none of its sources can be had (give --archive ${name}=FILE)`,
    })

  const keys = await cacheKeys(plan.steps, options)
  const missing: Step[] = []
  for (const step of plan.steps)
    if ((await lookUp(keys.get(step.component.name) as string)) === undefined) missing.push(step)
  const names = missing.map(({ component }) => component.name).join(', ')
  const cached = plan.steps.length - missing.length
  emit({
    type: 'output',
    text: `${cached} of ${plan.steps.length} components are in the cache${names === '' ? '' : `; to make: ${names}`}`,
  })
  await ensurePackages(
    requiredPackages(
      missing.map(({ source }) => source),
      arch,
    ),
    options,
  )

  const made = new Map<string, MadeComponent>()
  for (const [index, step] of plan.steps.entries()) {
    signal.throwIfAborted()
    const { component, source, programs } = step
    const make = (folder: string) => {
      emit({ type: 'output', text: `Making ${component.name} ${component.version} (${source.type})` })
      return makeComponent(source, {
        emit,
        signal,
        component,
        arch,
        programs,
        folder,
        ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
        made: (name) => made.get(name) as MadeComponent,
      })
    }
    made.set(component.name, await lookUpOrMake(keys.get(component.name) as string, make, options))
    emit({ type: 'progress', task: 'components', done: index + 1, total: plan.steps.length, unit: 'items' })
  }

  const path = join(
    options.outputDirectory,
    packageFileName({ edgeVersion: VERSION, kubernetesVersion, arch }),
  )
  const manifest = await assemble({
    emit,
    signal,
    path,
    kubernetesVersion,
    edgeVersion: VERSION,
    arch,
    steps: plan.steps,
    made,
    ...(signKey === undefined ? {} : { signKey }),
  })
  return { path, manifest }
}

/** A key for each step: its recipe, its tools, and the keys of what it is made of. */
async function cacheKeys(
  steps: readonly Step[],
  { arch, mirror, signal }: BuildOptions,
): Promise<Map<string, string>> {
  const keys = new Map<string, string>()
  const uses = (type: string) => steps.some(({ source }) => source.type === type)
  const go = uses('go') ? await goVersion(signal) : undefined
  const distribution = uses('debian') ? await hostDistribution() : undefined
  for (const { component, source, programs, parts } of steps) {
    const tools = source.type === 'go' ? go : source.type === 'debian' ? distribution?.codename : undefined
    const content = source.type === 'archive' ? await sha256Of(source.file) : undefined
    const key = cacheKey(component.name, {
      version: component.version,
      source: source.type === 'archive' ? source.type : source,
      programs,
      arch,
      tools,
      content,
      // What a mirror gives is verified, but not always against a pin.
      mirror: source.type === 'release' || source.type === 'image' ? mirror : undefined,
      parts: parts.map((name) => keys.get(name)),
    })
    if (keys.has(component.name)) throw new EdgeadmError('internal', `${component.name} is planned twice`)
    keys.set(component.name, key)
  }
  return keys
}
