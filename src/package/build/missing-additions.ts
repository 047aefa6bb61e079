import type { PackageManifest } from '../manifest.ts'
import { DEFAULT_RECIPES } from './builtin.ts'
import { carriedAdditions, possibleAdditions, sourceIn } from './carried-additions.ts'
import type { Step } from './plan.ts'
import { readRecipes } from './read-recipe.ts'
import type { Component } from './recipe.ts'

/**
 * What is open in a package because one of its components lacks additions that this edgeadm has for it: one sentence each.
 * Empty where the package does not hold the component.
 */
export async function missingAdditions(
  manifest: PackageManifest | undefined,
  component: string,
): Promise<string[]> {
  const packed = manifest?.components.find(({ name }) => name === component)
  return packed === undefined ? [] : openWithout(component, carriedBy(manifest, component))
}

/** What is open where a component carries these additions alone: one sentence for each that this edgeadm has beside them. */
export async function openWithout(component: string, carried: readonly string[]): Promise<string[]> {
  const { components } = await readRecipes(DEFAULT_RECIPES)
  const described = components.find(({ name }) => name === component)
  if (described === undefined) return []
  return possibleAdditions(described, components)
    .filter(({ name }) => !carried.includes(name))
    .map(({ without }) => without)
}

/** Names (`COMPONENT/TOPIC`) of the additions that a component of a package was built with. */
export const carriedBy = (manifest: PackageManifest | undefined, component: string): string[] =>
  (manifest?.components.find(({ name }) => name === component)?.additions ?? []).map(({ name }) => name)

export const carriesAddition = (
  manifest: PackageManifest | undefined,
  component: string,
  addition: string,
): boolean => carriedBy(manifest, component).includes(addition)

/** What is open in the package because a component comes from its publisher, without edgeadm's additions. */
export function lackingAdditions(steps: readonly Step[], components: readonly Component[]): string[] {
  return steps.flatMap(({ component, source }) => {
    const carried = carriedAdditions({ component, source }, sourceIn(steps))
    const lacking = possibleAdditions(component, components).filter((addition) => !carried.includes(addition))
    if (lacking.length === 0) return []
    const open = lacking.map(({ without }) => without).join(' ')
    return [`${component.name} comes without edgeadm's additions to its source. ${open}`]
  })
}
