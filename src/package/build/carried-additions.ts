/** Which of edgeadm's additions to upstream's source are in what a source gives. */

import type { Addition } from './additions.ts'
import type { Component, Source } from './recipe.ts'
import { programReference } from './sources/layers.ts'

interface Choice {
  readonly component: Component
  readonly source: Source
}

/**
 * The additions in a component's programs, or in those of its image.
 * @param sourceOf where another component comes from
 */
export function carriedAdditions(
  { component, source }: Choice,
  sourceOf: (name: string) => Source | undefined,
): Addition[] {
  if (source.type === 'go') return additionsTo(source, programsOf(component))
  if (source.type !== 'layers') return []
  return imagePrograms(source.layers).flatMap((reference) => {
    const part = sourceOf(reference.component)
    return part?.type === 'go' ? additionsTo(part, [reference.program]) : []
  })
}

/** Finds a component's source in a plan. */
export function sourceIn(steps: readonly Choice[]): (name: string) => Source | undefined {
  return (name) => steps.find(({ component }) => component.name === name)?.source
}

/** The additions that a component would carry if each program came from its `go` source. */
export function possibleAdditions(component: Component, components: readonly Component[]): Addition[] {
  const goSource = (name: string) =>
    components.find((each) => each.name === name)?.sources.find(({ type }) => type === 'go')
  const all = component.sources.flatMap((source) => carriedAdditions({ component, source }, goSource))
  return [...new Set(all)]
}

/** Programs of a component that go into images only have no entry here; the image lists what concerns them. */
const programsOf = ({ files = {} }: Component) => Object.values(files)

function additionsTo(source: Source, programs: readonly string[]): Addition[] {
  if (source.type !== 'go') return []
  return (source.additions ?? []).filter((addition) =>
    addition.programs.some((name) => programs.includes(name)),
  )
}

function imagePrograms(layers: readonly (string | Readonly<Record<string, string>>)[]) {
  return layers.flatMap((layer) =>
    typeof layer === 'string' ? [] : Object.values(layer).map(programReference),
  )
}
