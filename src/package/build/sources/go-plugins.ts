import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import type { GoSource } from '../recipe.ts'

/**
 * What upstream's own main imports for its effects, without what the recipe leaves out.
 * @param folder of the module
 * @throws EdgeadmError class `package` if the module's file does not fit the recipe
 */
export async function pluginsOf(
  { plugins, withoutPlugins = [] }: Pick<GoSource, 'plugins' | 'withoutPlugins'>,
  folder: string,
): Promise<string[]> {
  if (plugins === undefined) return []
  const text = await readFile(join(folder, plugins), 'utf8')
  const all = [...text.matchAll(/^\s*(?:import )?_ "([^"]+)"$/gm)].map(([, path]) => String(path))
  const unknown = withoutPlugins.filter((path) => !all.includes(path))
  if (all.length === 0 || unknown.length > 0)
    throw new EdgeadmError(
      'package',
      `${plugins} of the module imports no ${unknown.join(', ') || 'plugin'}`,
      {
        fix: 'make plugins and withoutPlugins of the recipe fit this version',
      },
    )
  return all.filter((path) => !withoutPlugins.includes(path))
}
