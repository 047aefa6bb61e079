import { type FieldType, type Shape, SOURCES } from './recipe-schema.ts'

export type Json = Record<string, unknown>

/** Adds to the problems what an object has too much, has not, or has of another type. */
export function checkObject(value: unknown, shape: Shape, at: string, problems: string[]): void {
  if (!isObject(value)) {
    problems.push(`${at}: is not an object`)
    return
  }
  for (const key of Object.keys(value)) if (!(key in shape)) problems.push(`${at}: ${key} is not known`)
  for (const [key, described] of Object.entries(shape)) {
    const type = described.replace('?', '') as FieldType
    if (value[key] === undefined) {
      if (!described.endsWith('?')) problems.push(`${at}: ${key} is missing`)
    } else if (type === 'sources') checkSources(value[key], `${at}.${key}`, problems)
    else if (!CHECKS[type](value[key])) problems.push(`${at}: ${key} has to be ${NAMES[type]}`)
  }
}

function checkSources(value: unknown, at: string, problems: string[]): void {
  if (!Array.isArray(value) || value.length === 0) {
    problems.push(`${at}: has to be a list of sources`)
    return
  }
  for (const [index, source] of value.entries()) {
    const shape = isObject(source) ? SOURCES[String(source.type)] : undefined
    if (shape === undefined)
      problems.push(`${at}[${index}]: type has to be one of ${Object.keys(SOURCES).join(', ')}`)
    else checkObject(source, shape, `${at}[${index}]`, problems)
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isMap = (value: unknown) => isObject(value) && Object.values(value).every(isText)

const CHECKS: Readonly<Record<Exclude<FieldType, 'sources'>, (value: unknown) => boolean>> = {
  text: isText,
  flag: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value) && value.every(isText),
  map: isMap,
  number: (value) => Number.isInteger(value) && Number(value) > 0,
  objects: (value) => Array.isArray(value) && value.every(isObject),
  layers: (value) => Array.isArray(value) && value.every((layer) => isText(layer) || isMap(layer)),
}

const NAMES: Readonly<Record<Exclude<FieldType, 'sources'>, string>> = {
  text: 'a text (quote numbers)',
  flag: 'true or false',
  texts: 'a list of texts',
  map: 'a map of texts',
  number: 'a whole number above 0',
  objects: 'a list of objects',
  layers: 'a list of component names and maps of texts',
}
