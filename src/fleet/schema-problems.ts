/** What a value is not, for `kind: Cluster`: zod's findings in edgeadm's words. */

import type { z } from 'zod'
import type { FieldPath } from '../config/file.ts'
import { describe } from '../config/inputs.ts'
import { nearest } from '../output/nearest.ts'
import { CLUSTER_SCHEMA, clusterJsonSchema } from './schema.ts'

export interface SchemaProblem {
  readonly path: FieldPath
  readonly text: string
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly additionalProperties?: JsonSchema | boolean
}

const SECRET = /^(sudoPassword|password|passphrase|becomePassword|privateKey|token)$/i

/** Where a password belongs. */
const NO_PASSWORD =
  'a password does not belong into this file: put it into an environment variable or a file, and name that ({env: NAME} or {file: PATH}), or use a key or ssh-agent'

export function schemaProblems(value: unknown): SchemaProblem[] {
  const parsed = CLUSTER_SCHEMA.safeParse(value)
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => say(issue, value))
}

function say(issue: z.core.$ZodIssue, whole: unknown): SchemaProblem[] {
  const path = issue.path as FieldPath
  const value = at(whole, path)
  const one = (text: string, where: FieldPath = path) => [{ path: where, text }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        text: SECRET.test(key) ? NO_PASSWORD : unknownField(key, path),
      }))
    case 'invalid_type':
      if (value === undefined || value === null)
        return one(`is missing: ${expectation(issue.expected)}`, path)
      if (SECRET.test(String(path.at(-1))) && typeof value === 'string') return one(NO_PASSWORD)
      return one(
        `must be ${expectation(issue.expected)}, not ${describe(value)}${issue.expected === 'string' ? '; put it in quotes' : ''}`,
      )
    case 'invalid_value':
      return one(invalidValue(issue.values.map(String), value))
    case 'invalid_union':
      return one('must be a number, or a percentage such as 10%')
    case 'too_small':
      return one(
        issue.origin === 'string'
          ? 'must not be empty'
          : issue.origin === 'array'
            ? 'needs at least one entry'
            : `must be at least ${issue.minimum}`,
      )
    case 'too_big':
      return one(`must be at most ${issue.maximum}`)
    default:
      return one(issue.message)
  }
}

function invalidValue(values: readonly string[], value: unknown): string {
  if (value === undefined) return `is missing: ${values.join(', ')}`
  const meant = nearest(String(value), values)
  return `must be ${values.length === 1 ? values[0] : `one of ${values.join(', ')}`}, not ${describe(value)}${meant === undefined || values.length === 1 ? '' : `; did you mean ${meant}?`}`
}

function unknownField(key: string, parent: FieldPath): string {
  const meant = nearest(key, fieldsAt(parent))
  return `there is no such field${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

/** Names of the fields that an object at this path may have. */
function fieldsAt(path: FieldPath): string[] {
  let schema: JsonSchema | undefined = clusterJsonSchema() as JsonSchema
  for (const step of path)
    schema =
      typeof step === 'number'
        ? schema?.items
        : (schema?.properties?.[step] ??
          (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined))
  return Object.keys(schema?.properties ?? {})
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
}

const expectation = (type: string): string => EXPECTED[type] ?? type

function at(value: unknown, path: FieldPath): unknown {
  let found = value
  for (const step of path) found = (found as Record<string | number, unknown> | null | undefined)?.[step]
  return found
}
