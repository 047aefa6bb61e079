/** A recipe that says only what differs: `from` names the components that several recipes share, `values` fills them in. */

import { parseDocument } from 'yaml'
import { builtinText } from './builtin.ts'
import { isObject, type Json } from './check-shape.ts'

/** Filled in later, for one component or one program (recipe.ts). */
const RESERVED = ['version', 'bare', 'arch', 'name']

/**
 * The components of packages-manifests/shared/`from`.yaml, with `{key}` in their texts replaced by the recipe's values.
 * Undefined, with a problem, if that cannot be done.
 */
export function sharedComponents(
  { from, values }: Json,
  path: string,
  problems: string[],
): unknown[] | undefined {
  if (typeof from !== 'string' || !/^[a-z][a-z0-9-]*$/.test(from)) {
    problems.push(`${path}: from is not the name of a file in packages-manifests/shared`)
    return undefined
  }
  if (!isObject(values) || Object.values(values).some((value) => typeof value !== 'string')) {
    problems.push(`${path}: values is not a map of texts; numbers are quoted`)
    return undefined
  }
  const reserved = Object.keys(values).filter((key) => RESERVED.includes(key))
  if (reserved.length > 0) problems.push(`${path}: values may not name ${reserved.join(', ')}`)
  let text: string
  try {
    text = builtinText(`shared/${from}.yaml`)
  } catch {
    problems.push(`${path}: there is no packages-manifests/shared/${from}.yaml`)
    return undefined
  }
  const shape = parseDocument(text).toJS() as Json
  const components = filled(shape.components, values as Readonly<Record<string, string>>) as Json[]
  for (const { name, version } of components)
    if (String(version).includes('{'))
      problems.push(`${path}: values lack ${version}, the version of ${name}`)
  return components
}

function filled(value: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string')
    return value.replace(/\{([a-zA-Z]+)\}/g, (whole, key: string) => values[key] ?? whole)
  if (Array.isArray(value)) return value.map((each) => filled(each, values))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [filled(key, values), filled(each, values)]),
  )
}
