/** `$NAME` and `${NAME}` in the values of an inventory stand for environment variables; `$$` is a dollar sign. */

import type { FieldPath } from '../config/file.ts'

const REFERENCE = /\$(?:\$|\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Replaces the references in all strings of a value; keys stay as they are.
 * @param onProblem called for a variable that is not set, or a reference that names none
 */
export function substitute(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  onProblem: (path: FieldPath, text: string) => void,
  path: FieldPath = [],
): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => substitute(item, environment, onProblem, [...path, index]))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [
        key,
        substitute(entry, environment, onProblem, [...path, key]),
      ]),
    )
  if (typeof value !== 'string') return value
  return value.replaceAll(REFERENCE, (whole, braced: string | undefined, bare: string | undefined) => {
    if (whole === '$$') return '$'
    const name = braced ?? bare ?? ''
    if (!NAME.test(name))
      onProblem(path, `"${whole}" names no environment variable; write $$ for a dollar sign`)
    const found = environment[name]
    if (found === undefined && NAME.test(name))
      onProblem(path, `the environment variable ${name} is not set; write $$ for a dollar sign`)
    return found ?? ''
  })
}
