/** The parts of the executable: Node.js and the npm packages whose code is in the bundle, with their licences' texts. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import type { BuildPart } from '../src/build-info.ts'

export interface PartWithTexts extends BuildPart {
  /** The files LICENSE, LICENCE, COPYING and NOTICE of the part, in the order of their names. */
  readonly texts: readonly string[]
}

/** @param node folder of the npm package that holds Node.js */
export function partsOf(metafile: Metafile, node: string): PartWithTexts[] {
  const folders = new Set<string>([node])
  for (const path of Object.keys(metafile.inputs)) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
    if (folder !== undefined) folders.add(folder)
  }
  const parts = new Map<string, PartWithTexts>()
  for (const folder of folders) {
    const part = partOf(folder, folder === node)
    parts.set(`${part.name}@${part.version}`, part)
  }
  return [...parts.keys()].sort().map((key) => parts.get(key) as PartWithTexts)
}

interface PackageJson {
  readonly name: string
  readonly version: string
  /** An SPDX expression. */
  readonly license?: unknown
  /** The form before npm 2: https://docs.npmjs.com/cli/configuring-npm/package-json#license */
  readonly licenses?: readonly { readonly type: string }[]
}

function partOf(folder: string, isNode: boolean): PartWithTexts {
  const { name, version, ...named } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as PackageJson
  const license = named.license ?? named.licenses?.map(({ type }) => type).join(' OR ')
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  if (isNode) return { name: 'node', version, licence: 'MIT', texts }
  if (typeof license !== 'string') throw new Error(`${folder} names no licence`)
  return { name, version, licence: license, texts }
}
