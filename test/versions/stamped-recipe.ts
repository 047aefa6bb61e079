/**
 * A Kubernetes for tests of upgrades that costs seconds instead of a second compilation: the default's source, linked with
 * the next patch's number. kubeadm, the kubelet and the API server act by that number; what they do besides is the same.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { readRecipes } from '../../src/package/build/read-recipe.ts'
import type { Component, Source } from '../../src/package/build/recipe.ts'

export interface Stamped {
  /** Path of the recipe. */
  readonly path: string
  /** As `v1.33.14`. */
  readonly version: string
}

/** @param recipe one that comes with edgeadm */
export async function writeStampedRecipe(recipe: string, directory: string): Promise<Stamped> {
  const { kubernetesVersion, components } = await readRecipes([recipe])
  const version = kubernetesVersion.replace(/\d+$/, (patch) => String(Number(patch) + 1))
  const stamp = (component: Component): Component => {
    if (component.version !== kubernetesVersion) return component
    const text = JSON.stringify(component.sources).replaceAll(`"${kubernetesVersion}"`, `"${version}"`)
    const sources = (JSON.parse(text) as Source[]).map((source) =>
      source.type === 'go' ? { ...source, version: kubernetesVersion } : source,
    )
    return { ...component, version, sources }
  }
  mkdirSync(directory, { recursive: true })
  const path = `${directory}/kubernetes-stamped.yaml`
  writeFileSync(
    path,
    stringify({
      apiVersion: 'edgeadm.io/v1alpha1',
      kind: 'PackageRecipe',
      kubernetesVersion: version,
      // pause's C file stays of the source's own version.
      components: components.map((component) =>
        component.sources.some(({ type }) => type === 'cc') ? component : stamp(component),
      ),
    }),
  )
  return { path, version }
}

// As a program: `node stamped-recipe.ts RECIPE DIRECTORY` prints the path of what it wrote.
const [, program = '', recipe = '', directory = ''] = process.argv
if (program.endsWith('stamped-recipe.ts')) console.log((await writeStampedRecipe(recipe, directory)).path)
