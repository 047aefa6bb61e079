import { EdgeadmError } from '../../output/errors.ts'
import { type PackageRole, roleNeedsFile, roleRunsImage } from '../roles.ts'
import { GROUPS } from './groups.ts'
import type { Component, Source } from './recipe.ts'
import { partsOf, programReference } from './sources/layers.ts'

/** One component that is to be made, after everything it is made of. */
export interface Step {
  readonly component: Component
  readonly source: Source
  /** Programs that are wanted of it. */
  readonly programs: readonly string[]
  /** Names of components that it is made of. */
  readonly parts: readonly string[]
}

export interface PlanOptions {
  readonly with: readonly string[]
  readonly without: readonly string[]
  /** What the package is for; undefined: every machine. */
  readonly role?: PackageRole
  /** The source to take, or undefined if none can be had. */
  readonly choose: (component: Component) => Source | undefined
}

export interface Plan {
  readonly steps: readonly Step[]
  /** Optional components that have no source now. */
  readonly left: readonly string[]
}

/**
 * Which components go into the package, from which source, and in which order they are made.
 * @throws EdgeadmError class `usage`: a name that is not known, or a component without a source
 */
export function planBuild(components: readonly Component[], options: PlanOptions): Plan {
  const byName = new Map(components.map((component) => [component.name, component]))
  for (const name of [...options.with, ...options.without])
    if (!byName.has(name))
      throw new EdgeadmError('usage', `there is no component ${name}`, {
        fix: `components are ${[...byName.keys()].join(', ')}; groups are ${GROUPS.join(', ')}`,
      })
  const wanted = components.filter(
    ({ name, files, image }) =>
      (files !== undefined || image !== undefined) &&
      !options.without.includes(name) &&
      isFor(options.role, files, image),
  )
  const programs = new Map<string, Set<string>>()
  const steps = new Map<string, Step>()
  const left: string[] = []
  const want = (name: string, program: string) => {
    programs.set(name, (programs.get(name) ?? new Set()).add(program))
  }
  const visit = (component: Component): void => {
    if (steps.has(component.name)) return
    const source = options.choose(component)
    if (source === undefined) {
      if (component.optional === true && !options.with.includes(component.name)) {
        left.push(component.name)
        return
      }
      throw new EdgeadmError(
        'usage',
        `${component.name} ${component.version} cannot be had from any of its sources`,
        {
          details: component.sources.map((each) => `${each.type}: ${describe(each)}`),
          fix: `give a mirror with --mirror, a file with --archive ${component.name}=FILE, or leave it out with --without ${component.name}`,
        },
      )
    }
    const parts = source.type === 'layers' ? partsOf(source) : []
    for (const name of parts) {
      const part = byName.get(name)
      if (part === undefined)
        throw new EdgeadmError('usage', `${component.name} is made of ${name}, which no recipe describes`)
      visit(part)
    }
    if (source.type === 'layers')
      for (const layer of source.layers)
        if (typeof layer !== 'string')
          for (const text of Object.values(layer)) {
            const { component: name, program } = programReference(text)
            want(name, program)
          }
    for (const program of Object.values(component.files ?? {})) want(component.name, program)
    steps.set(component.name, { component, source, programs: [], parts })
  }
  for (const component of wanted) visit(component)
  return {
    left,
    steps: [...steps.values()].map((step) => ({
      ...step,
      programs: [...(programs.get(step.component.name) ?? [])].sort(),
    })),
  }
}

function isFor(role: PackageRole | undefined, files: Component['files'], image: string | undefined): boolean {
  if (role === undefined) return true
  if (image !== undefined) return roleRunsImage(role, image)
  return Object.keys(files ?? {}).some((path) => roleNeedsFile(role, path))
}

/** Where a source would take something from, for people. */
export function describe(source: Source): string {
  switch (source.type) {
    case 'release':
      return new URL(source.url.replaceAll(/[{}]/g, '')).origin
    case 'image':
      return source.reference
    case 'go':
    case 'cc':
      return source.module
    case 'debian':
      return source.packages.join(' ')
    case 'layers':
      return partsOf(source).join(' ')
    case 'archive':
      return source.file
  }
}
