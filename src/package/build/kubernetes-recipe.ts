/** Which recipe makes the Kubernetes that the user wants: `1.34`, `v1.34.4`, `stable-1.34`. */

import { parseDocument } from 'yaml'
import { EdgeadmError } from '../../output/errors.ts'
import { builtinText, KUBERNETES_RECIPES } from './builtin.ts'

/** @throws EdgeadmError class `usage` for a version that no recipe makes */
export function kubernetesRecipe(wanted: string): string {
  const [, minor, patch] = /^(?:stable-|v)?(1\.\d+)(\.\d+)?$/.exec(wanted) ?? []
  const sets = KUBERNETES_RECIPES.map((recipe) => ({ recipe, version: versionOf(recipe) }))
  const found = sets.find(({ recipe }) => recipe === `kubernetes-${minor}`)
  if (found !== undefined && (patch === undefined || found.version === `v${minor}${patch}`))
    return found.recipe
  throw new EdgeadmError('usage', `no recipe makes Kubernetes ${wanted}`, {
    fix: `there are ${sets.map(({ version }) => version).join(', ')}; for another one, give a recipe of your own with --manifest`,
  })
}

function versionOf(recipe: string): string {
  return String(parseDocument(builtinText(`${recipe}.yaml`)).get('kubernetesVersion'))
}
