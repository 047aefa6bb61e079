import type { ConfigFile, FieldPath } from './file.ts'
import type { Problems } from './problems.ts'

/** A value and where it came from, for messages. */
export interface Sourced<T> {
  readonly value: T
  readonly where: string
}

export interface Field {
  readonly kind: string
  readonly path: FieldPath
}

interface Types {
  readonly string: string
  readonly number: number
  readonly boolean: boolean
  readonly list: readonly string[]
  readonly object: Readonly<Record<string, unknown>>
  readonly array: readonly unknown[]
}

export type TypeName = keyof Types

const A_TYPE: Readonly<Record<TypeName, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list of strings',
  object: 'a map',
  array: 'a list',
}

export const field = (kind: string, path: string): Field => ({ kind, path: path.split('.') })

/** Flags and file as one source: a flag that was given beats the file. A field of the wrong type becomes a problem. */
export class Inputs {
  readonly #flags: Readonly<Record<string, unknown>>
  readonly #file: ConfigFile | undefined
  readonly #problems: Problems

  constructor(flags: object, file: ConfigFile | undefined, problems: Problems) {
    this.#flags = flags as Readonly<Record<string, unknown>>
    this.#file = file
    this.#problems = problems
  }

  text(flag: string | undefined, ...fields: readonly Field[]): Sourced<string> | undefined {
    return this.#flag<string>(flag) ?? this.#field('string', fields)
  }

  bool(flag: string | undefined, ...fields: readonly Field[]): Sourced<boolean> | undefined {
    return this.#flag<boolean>(flag) ?? this.#field('boolean', fields)
  }

  /** An empty word stands for an empty list, as in `--node-taints ''`. */
  list(flag: string | undefined, ...fields: readonly Field[]): Sourced<readonly string[]> | undefined {
    const given = this.#flag<readonly string[]>(flag)
    if (given) return { ...given, value: given.value.filter((word) => word !== '') }
    return this.#field('list', fields)
  }

  /** A number, which a flag carries as text. NaN if that is no number. */
  number(flag: string | undefined, ...fields: readonly Field[]): Sourced<number> | undefined {
    const given = this.#flag<string>(flag)
    if (given) return { ...given, value: /^\d+$/.test(given.value) ? Number(given.value) : Number.NaN }
    return this.#field('number', fields)
  }

  object(...fields: readonly Field[]): Sourced<Readonly<Record<string, unknown>>> | undefined {
    return this.#field('object', fields)
  }

  array(...fields: readonly Field[]): Sourced<readonly unknown[]> | undefined {
    return this.#field('array', fields)
  }

  #flag<T>(flag: string | undefined): Sourced<T> | undefined {
    const value = flag === undefined ? undefined : this.#flags[flag]
    return value === undefined ? undefined : { value: value as T, where: `--${flag}` }
  }

  #field<K extends keyof Types>(type: K, fields: readonly Field[]): Sourced<Types[K]> | undefined {
    for (const { kind, path } of fields) {
      const document = this.#file?.documents.get(kind)
      if (!document) continue
      let value: unknown = document.value
      for (const step of path) value = (value as Record<string | number, unknown> | null | undefined)?.[step]
      if (value === undefined || value === null) continue
      if (isA(type, value)) return { value: value as Types[K], where: document.where(path) }
      this.#problems.add(document.where(path), mustBe(type, describe(value)))
    }
    return undefined
  }
}

export function isA(type: TypeName, value: unknown): boolean {
  if (type === 'list') return Array.isArray(value) && value.every((item) => typeof item === 'string')
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}

/** @param is what stands there, in words */
export function mustBe(type: TypeName, is: string): string {
  return `must be ${A_TYPE[type]}, not ${is}`
}

export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `the ${typeof value} ${JSON.stringify(value)}`
}
