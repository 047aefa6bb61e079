import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { getAsset, isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'
import { EdgeadmError, messageOf } from '../../output/errors.ts'

/** What a package holds unless told otherwise: names of files in packages-manifests/. */
export const DEFAULT_RECIPES: readonly string[] = [
  'kubernetes-1.33',
  'kubeedge-1.23',
  'load-balancer',
  'superedge-0.9',
]

/**
 * A recipe's text: `kubernetes-1.33` is one that comes with edgeadm, anything with a slash or an ending is a path.
 * @throws EdgeadmError class `usage`
 */
export async function recipeText(nameOrPath: string): Promise<string> {
  try {
    if (/[/]|\.ya?ml$/.test(nameOrPath)) return await readFile(nameOrPath, 'utf8')
    const file = `packages-manifests/${nameOrPath}.yaml`
    if (isSea()) return getAsset(file, 'utf8')
    return readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')
  } catch (error) {
    throw new EdgeadmError('usage', `there is no package manifest ${nameOrPath}: ${messageOf(error)}`, {
      fix: `name a file, or one that comes with edgeadm: ${DEFAULT_RECIPES.join(', ')}`,
    })
  }
}
