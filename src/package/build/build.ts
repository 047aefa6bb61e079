import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reporting } from '../../output/events.ts'
import { VERSION } from '../../version.ts'
import { checkArchitecture } from '../architecture.ts'
import { Servers } from '../download/servers.ts'
import type { Architecture, PackageManifest } from '../manifest.ts'
import { packageFileName } from '../paths.ts'
import type { PackageRole } from '../roles.ts'
import { readPrivateKey } from '../signature.ts'
import { readPackageManifest } from '../unpack.ts'
import { assemble } from './assemble.ts'
import { downloadsDirectory, lookUp, lookUpOrMake } from './cache.ts'
import { chooseSources, type SourceChoice } from './choose.ts'
import { type Forecast, forecast } from './forecast.ts'
import { cacheKeys } from './keys.ts'
import { makeComponent } from './make.ts'
import { lackingAdditions } from './missing-additions.ts'
import { planBuild, type Step } from './plan.ts'
import { readRecipes } from './read-recipe.ts'
import type { MadeComponent } from './record.ts'
import { ensurePackages, requiredPackages } from './requirements.ts'

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
  /** `--for`: only what this role needs; undefined: what every machine needs. */
  readonly role?: PackageRole
  /** `--base`: a package; what it has is left out, and `package merge` puts both together. */
  readonly base?: string
  /** Part of the package's file name. */
  readonly variant?: readonly string[]
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
  const signKey = options.signKey === undefined ? undefined : readPrivateKey(options.signKey)
  const base = options.base === undefined ? undefined : await readPackageManifest(options.base, options)
  if (base !== undefined) checkArchitecture(base, options.base as string, arch)
  const { kubernetesVersion, components } = await readRecipes(options.recipes)
  const choose = await chooseSources(components, options)
  const plan = planBuild(components, {
    with: options.with,
    without: options.without,
    choose,
    ...(options.role === undefined ? {} : { role: options.role }),
  })
  for (const name of plan.left)
    emit({
      type: 'output',
      text: `Leaving out ${name}: none of its sources can be had (give --archive ${name}=FILE)`,
    })
  for (const text of lackingAdditions(plan.steps, components)) emit({ type: 'warning', text })

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
  const ahead: Forecast | undefined = missing.length === 0 ? undefined : forecast(missing, emit)
  if (ahead !== undefined) emit({ type: 'output', text: ahead.text })
  await ensurePackages(
    requiredPackages(
      missing.map(({ source }) => source),
      arch,
    ),
    options,
  )

  await mkdir(downloadsDirectory(), { recursive: true })
  const servers = new Servers({
    mirrors: options.mirror === undefined ? [] : [options.mirror],
    publishers: options.mirror === undefined,
  })
  const made = new Map<string, MadeComponent>()
  for (const step of plan.steps) {
    signal.throwIfAborted()
    const { component, source, programs } = step
    const key = keys.get(component.name) as string
    const make = (folder: string) => {
      emit({ type: 'output', text: `Making ${component.name} ${component.version} (${source.type})` })
      return makeComponent(source, {
        emit: ahead?.during(step) ?? emit,
        signal,
        component,
        arch,
        programs,
        folder,
        servers,
        downloads: join(downloadsDirectory(), key),
        made: (name) => made.get(name) as MadeComponent,
      })
    }
    made.set(component.name, await lookUpOrMake(key, make, options))
    await rm(join(downloadsDirectory(), key), { recursive: true, force: true })
    if (missing.includes(step)) ahead?.done(step)
  }

  const variant = [
    ...(options.variant ?? []),
    ...(options.role === undefined ? [] : [options.role]),
    ...(base === undefined ? [] : ['update']),
  ]
  const path = join(
    options.outputDirectory,
    packageFileName({ edgeVersion: VERSION, kubernetesVersion, arch, variant }),
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
    ...(base === undefined ? {} : { base }),
  })
  return { path, manifest }
}
