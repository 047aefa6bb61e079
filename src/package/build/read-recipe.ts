import { parseDocument } from 'yaml'
import { EdgeadmError } from '../../output/errors.ts'
import { unsafePath } from '../paths.ts'
import { recipeText } from './builtin.ts'
import type { Component, Recipe } from './recipe.ts'
import { COMPONENT, type FieldType, type Shape, SOURCES } from './recipe-schema.ts'

export const RECIPE_API_VERSION = 'edgeadm.io/v1alpha1'

type Json = Record<string, unknown>

/**
 * Reads recipes and puts their components together.
 * @throws EdgeadmError class `usage`, with all problems as details
 */
export async function readRecipes(paths: readonly string[]): Promise<Required<Recipe>> {
  const problems: string[] = []
  const components: Component[] = []
  let kubernetesVersion: string | undefined
  for (const path of paths) {
    const recipe = await readRecipe(path, problems)
    if (recipe === undefined) continue
    for (const component of recipe.components) {
      if (components.some(({ name }) => name === component.name))
        problems.push(`${path}: component ${component.name} is there twice`)
      components.push(component)
    }
    if (recipe.kubernetesVersion !== undefined && kubernetesVersion !== undefined)
      problems.push(`${path}: kubernetesVersion is set by another recipe already (${kubernetesVersion})`)
    kubernetesVersion ??= recipe.kubernetesVersion
  }
  if (kubernetesVersion === undefined && problems.length === 0)
    problems.push('none of the recipes names a kubernetesVersion')
  if (problems.length > 0)
    throw new EdgeadmError('usage', `what the package is to hold cannot be read: ${problems[0]}`, {
      details: problems.slice(1),
      fix: 'packages-manifests/README.md describes every field',
    })
  return { kubernetesVersion: kubernetesVersion as string, components }
}

async function readRecipe(path: string, problems: string[]): Promise<Recipe | undefined> {
  const text = await recipeText(path)
  const document = parseDocument(text)
  const problem = document.errors[0]
  if (problem !== undefined) {
    problems.push(`${path}: ${problem.message}`)
    return undefined
  }
  const value = document.toJS() as unknown
  if (!isObject(value) || value.apiVersion !== RECIPE_API_VERSION || value.kind !== 'PackageRecipe') {
    problems.push(`${path}: is no PackageRecipe of ${RECIPE_API_VERSION}`)
    return undefined
  }
  const { components = [], kubernetesVersion } = value
  if (!Array.isArray(components)) {
    problems.push(`${path}: components is not a list`)
    return undefined
  }
  for (const [index, component] of components.entries()) {
    const at = `${path}: components[${index}]${isObject(component) ? ` (${component.name})` : ''}`
    checkObject(component, COMPONENT, at, problems)
    if (isObject(component)) checkKind(component, at, problems)
  }
  return {
    components: components as Component[],
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion: String(kubernetesVersion) }),
  }
}

function checkKind(component: Json, at: string, problems: string[]): void {
  const kinds = ['files', 'layer', 'image'].filter((kind) => component[kind] !== undefined)
  // Programs that only go into images are named by those images.
  if (kinds.length > 1) problems.push(`${at}: is more than one of ${kinds.join(', ')}`)
  for (const path of Object.keys(isObject(component.files) ? component.files : {}))
    if (unsafePath(path)) problems.push(`${at}: files: ${JSON.stringify(path)} leads out of the package`)
}

function checkObject(value: unknown, shape: Shape, at: string, problems: string[]): void {
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

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isMap = (value: unknown) => isObject(value) && Object.values(value).every(isText)

const CHECKS: Readonly<Record<Exclude<FieldType, 'sources'>, (value: unknown) => boolean>> = {
  text: isText,
  flag: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value) && value.every(isText),
  map: isMap,
  layers: (value) => Array.isArray(value) && value.every((layer) => isText(layer) || isMap(layer)),
}

const NAMES: Readonly<Record<Exclude<FieldType, 'sources'>, string>> = {
  text: 'a text (quote numbers)',
  flag: 'true or false',
  texts: 'a list of texts',
  map: 'a map of texts',
  layers: 'a list of component names and maps of texts',
}
