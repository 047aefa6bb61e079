import { parseDocument } from 'yaml'
import { EdgeadmError } from '../../output/errors.ts'
import { unsafePath } from '../paths.ts'
import { readAdditions } from './additions.ts'
import { isPath, recipeText } from './builtin.ts'
import { checkObject, isObject, type Json } from './check-shape.ts'
import { withPins } from './pins.ts'
import type { Component, Recipe, Source } from './recipe.ts'
import { COMPONENT } from './recipe-schema.ts'
import { sharedComponents } from './shared-shape.ts'

export const RECIPE_API_VERSION = 'edgeadm.io/v1alpha1'

/**
 * Reads recipes and puts their components together.
 * @throws EdgeadmError class `usage`, with all problems as details
 */
export async function readRecipes(paths: readonly string[]): Promise<Required<Recipe>> {
  const problems: string[] = []
  const components: Component[] = []
  let kubernetesVersion: string | undefined
  for (const path of paths) {
    const recipe = await readRecipe(path, problems)
    if (recipe === undefined) continue
    for (const component of recipe.components) {
      if (components.some(({ name }) => name === component.name))
        problems.push(`${path}: component ${component.name} is there twice`)
      components.push(component)
    }
    if (recipe.kubernetesVersion !== undefined && kubernetesVersion !== undefined)
      problems.push(`${path}: kubernetesVersion is set by another recipe already (${kubernetesVersion})`)
    kubernetesVersion ??= recipe.kubernetesVersion
  }
  if (kubernetesVersion === undefined && problems.length === 0)
    problems.push('none of the recipes names a kubernetesVersion')
  if (problems.length > 0)
    throw new EdgeadmError('usage', `what the package is to hold cannot be read: ${problems[0]}`, {
      details: problems.slice(1),
      fix: 'packages-manifests/README.md describes every field',
    })
  return { kubernetesVersion: kubernetesVersion as string, components }
}

async function readRecipe(path: string, problems: string[]): Promise<Recipe | undefined> {
  const text = await recipeText(path)
  const document = parseDocument(text)
  const problem = document.errors[0]
  if (problem !== undefined) {
    problems.push(`${path}: ${problem.message}`)
    return undefined
  }
  const value = document.toJS() as unknown
  if (!isObject(value) || value.apiVersion !== RECIPE_API_VERSION || value.kind !== 'PackageRecipe') {
    problems.push(`${path}: is no PackageRecipe of ${RECIPE_API_VERSION}`)
    return undefined
  }
  const { kubernetesVersion } = value
  const shared = value.from === undefined ? [] : sharedComponents(value, path, problems)
  if (shared === undefined) return undefined
  const components = value.components === undefined ? shared : [...shared, ...listOf(value.components)]
  if (value.components !== undefined && !Array.isArray(value.components)) {
    problems.push(`${path}: components is not a list`)
    return undefined
  }
  for (const [index, component] of components.entries()) {
    const at = `${path}: components[${index}]${isObject(component) ? ` (${component.name})` : ''}`
    checkObject(component, COMPONENT, at, problems)
    if (isObject(component)) checkKind(component, at, problems)
  }
  if (problems.length === 0)
    for (const { sources } of components as Component[])
      for (const [index, source] of sources.entries())
        if (source.type === 'go' && source.additions !== undefined) {
          const names = source.additions as unknown as string[]
          ;(sources as Source[])[index] = {
            ...source,
            additions: await readAdditions(names, path, problems),
          }
        }
  return {
    // A recipe of the user's says itself what its bytes are.
    components: isPath(path) ? (components as Component[]) : (components as Component[]).map(withPins),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion: String(kubernetesVersion) }),
  }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

function checkKind(component: Json, at: string, problems: string[]): void {
  const kinds = ['files', 'layer', 'image'].filter((kind) => component[kind] !== undefined)
  // Programs that only go into images are named by those images.
  if (kinds.length > 1) problems.push(`${at}: is more than one of ${kinds.join(', ')}`)
  for (const path of Object.keys(isObject(component.files) ? component.files : {}))
    if (unsafePath(path)) problems.push(`${at}: files: ${JSON.stringify(path)} leads out of the package`)
}
