/** The fields of `kind: EdgeConfiguration`, from the type that the reader of the file checks against. */

import { readdirSync, readFileSync } from 'node:fs'
import type { Command } from '@oclif/core'
import { EDGE_CONFIGURATION_FIELDS, type Fields, type Shape } from '../../src/config/known-fields.ts'

export interface FieldEntry {
  /** `edge.metaServer`; `[]` is an item of a list, `*` any key. */
  readonly path: string
  /** The flag that beats it, without dashes. */
  readonly flag: string | undefined
  readonly description: string
}

/** Fields that are read with their parent, which has the flag. */
const PARENTS = {
  'node.labels.*': 'node-labels',
  'node.taints[]': 'node-taints',
  'package.registryMirrors.*': 'registry-mirror',
} as const

/** Configurations of other programs, which their own documents describe. They have no flags. */
export const COMPONENTS: Readonly<Record<string, string>> = {
  cloudCore: "Parts of CloudCore's own configuration; see [edge-configuration.md](edge-configuration.md).",
  edgeCore: "Parts of edgecore's own configuration; see [edge-configuration.md](edge-configuration.md).",
  edgeMesh: "Parts of EdgeMesh's own configuration; see [edge-configuration.md](edge-configuration.md).",
}

/** @param commands whose flags have the descriptions */
export function configurationFields(commands: readonly Command.Class[]): FieldEntry[] {
  const flags = flagsByField()
  return leaves(EDGE_CONFIGURATION_FIELDS, '')
    .filter((path) => path !== 'apiVersion' && path !== 'kind')
    .map((path) => {
      const flag = flags.get(path) ?? Object.entries(PARENTS).find(([parent]) => path.startsWith(parent))?.[1]
      const known = commands.map((command) => command.flags?.[flag ?? '']).find((each) => each !== undefined)
      return { path, flag, description: known?.description ?? COMPONENTS[path] ?? '' }
    })
}

function leaves(shape: Shape, path: string): string[] {
  if (shape === null || typeof shape === 'string' || path in COMPONENTS) return [path]
  if (Array.isArray(shape)) return leaves((shape as readonly [Shape])[0], `${path}[]`)
  return Object.entries(shape as Fields).flatMap(([key, inner]) =>
    leaves(inner, path === '' ? key : `${path}.${key}`),
  )
}

/** A setting is read in one place, which names its flag and its field: `inputs.text('metaserver', edge('edge.metaServer'))`. */
function flagsByField(): Map<string, string> {
  const found = new Map<string, string>()
  const folder = new URL('../../src/config/', import.meta.url)
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.ts')))
    for (const [, flag, path] of readFileSync(new URL(name, folder), 'utf8').matchAll(
      /\(\s*'([a-z0-9-]+)',\s*edge\('([A-Za-z0-9.]+)'\)/g,
    ))
      found.set(String(path), String(flag))
  return found
}
