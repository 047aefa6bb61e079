import { EdgeadmError } from '../../output/errors.ts'
import { BUILTIN_RECIPES, DEFAULT_RECIPES } from './builtin.ts'
import { kubernetesRecipe } from './kubernetes-recipe.ts'

export interface GroupOptions {
  /** Recipes that were named; undefined: the default ones. */
  readonly manifest: readonly string[] | undefined
  /** As typed: `1.34`; undefined: the default's. */
  readonly kubernetesVersion?: string | undefined
  /** Names of groups and of components. */
  readonly with: readonly string[]
  readonly without: readonly string[]
}

export interface GroupChoice {
  readonly recipes: readonly string[]
  /** What is left of the names: components. */
  readonly with: readonly string[]
  readonly without: readonly string[]
  /** What tells this package from the default one; part of its file name. */
  readonly variant: readonly string[]
}

/** What --with and --without call a recipe that comes with edgeadm: its name without the version. */
export function groupOf(recipe: string): string {
  return recipe.replace(/-\d[\d.]*$/, '')
}

export const GROUPS: readonly string[] = BUILTIN_RECIPES.map(groupOf)

/** Takes the names of groups out of --with and --without, and adds or removes their recipes. */
export function chooseGroups(options: GroupOptions): GroupChoice {
  const { manifest, kubernetesVersion, with: added, without } = options
  const recipeOf = (name: string) =>
    BUILTIN_RECIPES.find((recipe) => recipe === name || groupOf(recipe) === name)
  const recipes = [...(manifest ?? defaultRecipes(kubernetesVersion))]
  if (manifest !== undefined && kubernetesVersion !== undefined)
    throw new EdgeadmError('usage', '--manifest names all that goes in, --kubernetes-version too', {
      fix: 'give only one of them',
    })
  const variant: string[] = []
  for (const name of added) {
    const recipe = recipeOf(name)
    if (recipe === undefined || recipes.includes(recipe)) continue
    recipes.push(recipe)
    if (manifest === undefined) variant.push(groupOf(recipe))
  }
  for (const name of without) {
    const recipe = removable(recipeOf(name))
    if (recipe === undefined || !recipes.includes(recipe)) continue
    recipes.splice(recipes.indexOf(recipe), 1)
    if (manifest === undefined) variant.push(`no-${groupOf(recipe)}`)
  }
  return {
    recipes,
    with: added.filter((name) => recipeOf(name) === undefined),
    without: without.filter((name) => removable(recipeOf(name)) === undefined),
    variant: variant.sort(),
  }
}

function defaultRecipes(kubernetesVersion: string | undefined): readonly string[] {
  if (kubernetesVersion === undefined) return DEFAULT_RECIPES
  return [kubernetesRecipe(kubernetesVersion), ...DEFAULT_RECIPES.slice(1)]
}

/** Without the recipe of Kubernetes itself there is no package: that name means the component. */
function removable(recipe: string | undefined): string | undefined {
  return recipe === DEFAULT_RECIPES[0] ? undefined : recipe
}
