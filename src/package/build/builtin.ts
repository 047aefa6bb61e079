import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { getAsset, isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'
import { EdgeadmError, messageOf } from '../../output/errors.ts'

/** What a package holds unless told otherwise: names of files in packages-manifests/. Kubernetes comes first. */
export const DEFAULT_RECIPES: readonly string[] = ['kubernetes-1.33', 'kubeedge-1.23']

/** One for each minor of Kubernetes that edgeadm has a set of versions for. */
export const KUBERNETES_RECIPES: readonly string[] = [
  'kubernetes-1.33',
  'kubernetes-1.34',
  'kubernetes-1.35',
  'kubernetes-1.36',
  'kubernetes-1.37',
]

/** All recipes that come with edgeadm. */
export const BUILTIN_RECIPES: readonly string[] = [
  ...KUBERNETES_RECIPES,
  'kubeedge-1.23',
  'load-balancer',
  'superedge-0.9',
  'edgemesh-1.16',
]

/**
 * A recipe's text: `kubernetes-1.33` is one that comes with edgeadm, anything with a slash or an ending is a path.
 * @throws EdgeadmError class `usage`
 */
export async function recipeText(nameOrPath: string): Promise<string> {
  try {
    return isPath(nameOrPath) ? await readFile(nameOrPath, 'utf8') : builtinText(`${nameOrPath}.yaml`)
  } catch (error) {
    throw new EdgeadmError('usage', `there is no package manifest ${nameOrPath}: ${messageOf(error)}`, {
      fix: `name a file, or one that comes with edgeadm: ${BUILTIN_RECIPES.join(', ')}`,
    })
  }
}

/** Whether a recipe is a file of the user's, and not one that comes with edgeadm. */
export function isPath(recipe: string): boolean {
  return /[/]|\.ya?ml$/.test(recipe)
}

/** A file of packages-manifests/, which the executable carries. @throws Error if there is none */
export function builtinText(path: string): string {
  const file = `packages-manifests/${path}`
  if (isSea()) return getAsset(file, 'utf8')
  return readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')
}
