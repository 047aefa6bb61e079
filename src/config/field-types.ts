import type { ConfigDocument, FieldPath } from './file.ts'
import { describe, isA, mustBe, type TypeName } from './inputs.ts'
import { type Fields, fieldOf, type Shape, shapeOf } from './known-fields.ts'

export interface TypeProblem {
  readonly path: FieldPath
  readonly text: string
}

/** Values whose type is not the one that the document's API version has for the field. */
export function typeProblems(document: ConfigDocument): TypeProblem[] {
  const fields = shapeOf(document)
  return fields === undefined ? [] : check(document, document.value, fields, [])
}

function check(document: ConfigDocument, value: unknown, shape: Shape, path: FieldPath): TypeProblem[] {
  if (shape === null || value === null || value === undefined) return []
  const type = typeOf(shape, value)
  // A time without quotes is one for YAML 1.1; Kubernetes reads it as the text that it is.
  if (type === 'string' && value instanceof Date) return []
  if (!isA(type, value)) return [{ path, text: mustBe(type, describe(value)) + hint(document, type, path) }]
  if (typeof shape === 'string') return []
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      check(document, item, (shape as readonly [Shape])[0], [...path, index]),
    )
  return Object.entries(value as object).flatMap(([key, entry]) =>
    check(document, entry, fieldOf(shape as Fields, key) ?? null, [...path, key]),
  )
}

function typeOf(shape: Exclude<Shape, null>, value: unknown): TypeName {
  if (typeof shape === 'string') return shape
  if (!Array.isArray(shape)) return 'object'
  // Of a list with a wrong item the item is named.
  return shape[0] === 'string' && !Array.isArray(value) ? 'list' : 'array'
}

/** Between v1beta3 and v1beta4 extra arguments changed from a map to a list. */
function hint({ apiVersion }: ConfigDocument, wanted: TypeName, path: FieldPath): string {
  const name = String(path.at(-1))
  if (wanted === 'string') return '; put it in quotes'
  if (!/extraArgs$/i.test(name)) return ''
  return wanted === 'object'
    ? `; ${apiVersion} has "${name}: {NAME: VALUE}", and v1beta4 the list of names and values`
    : `; ${apiVersion} has "${name}: [{name: NAME, value: VALUE}]", and v1beta3 the map`
}
