import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EdgeadmError } from '../../../src/output/errors.ts'
import { DEFAULT_RECIPES } from '../../../src/package/build/builtin.ts'
import { planBuild } from '../../../src/package/build/plan.ts'
import { readRecipes } from '../../../src/package/build/read-recipe.ts'
import { fill, valuesOf } from '../../../src/package/build/recipe.ts'
import { requiredPackages } from '../../../src/package/build/requirements.ts'
import { temporaryFolder } from '../synthetic.ts'
import { recipe } from './fixtures.ts'

const GOOD = {
  name: 'runc',
  version: 'v1.3.6',
  licence: 'Apache-2.0',
  files: { 'container/runc': 'runc' },
  sources: [
    {
      type: 'go',
      module: 'example.org/runc',
      package: 'example.org/runc',
      cgo: true,
      libraries: ['libx-dev'],
    },
  ],
}

async function problems(...components: object[]): Promise<string> {
  const error = await readRecipes([recipe(components)]).then(
    () => undefined,
    (thrown: EdgeadmError) => thrown,
  )
  expect(error?.class).toBe('usage')
  return [error?.message, ...(error?.details ?? [])].join('\n')
}

test('all problems of a recipe are told at once, each with its place', async () => {
  const text = await problems(
    { ...GOOD, licence: undefined, colour: 'red' },
    { ...GOOD, version: 3.1, files: { '../x': 'x' } },
    { ...GOOD, name: 'x', sources: [{ type: 'ftp' }, { type: 'image' }], layer: true },
  )
  for (const part of [
    'components[0] (runc): colour is not known',
    'components[0] (runc): licence is missing',
    'components[1] (runc): version has to be a text (quote numbers)',
    '"../x" leads out of the package',
    'component runc is there twice',
    'sources[0]: type has to be one of release, image, go',
    'sources[1]: reference is missing',
    'is more than one of files, layer',
  ])
    expect(text).toContain(part)
})

test('what is no recipe is said to be none', async () => {
  const path = join(temporaryFolder(), 'x.yaml')
  writeFileSync(path, 'kind: Pod\n')
  await expect(readRecipes([path])).rejects.toThrow('is no PackageRecipe')
  writeFileSync(path, 'a: [')
  await expect(readRecipes([path])).rejects.toThrow(path)
  await expect(readRecipes(['/nonexistent.yaml'])).rejects.toThrow(
    'there is no package manifest /nonexistent.yaml',
  )
  await expect(readRecipes(['kubernetes-0.1'])).rejects.toThrow('there is no package manifest kubernetes-0.1')
})

test('every recipe that comes with edgeadm can be read and planned, from releases and built here', async () => {
  const names = readdirSync('packages-manifests')
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace('.yaml', ''))
  expect(names).toEqual(expect.arrayContaining([...DEFAULT_RECIPES]))
  const { components, kubernetesVersion } = await readRecipes(names)
  expect(kubernetesVersion).toBe('v1.33.13')
  for (const types of [
    ['release', 'image'],
    ['go', 'cc', 'debian', 'layers'],
  ]) {
    const choose = (component: (typeof components)[number]) =>
      component.sources.find(({ type }) => types.includes(type)) ?? component.sources[0]
    const { steps } = planBuild(components, { with: [], without: [], choose })
    const done = new Set<string>()
    for (const { component, parts, source, programs } of steps) {
      for (const part of parts) expect(done, `${component.name} before ${part}`).toContain(part)
      done.add(component.name)
      if (source.type === 'go' || source.type === 'cc') expect(programs.length).toBeGreaterThan(0)
    }
  }
})

test('the images are those that kubeadm v1.33.13 names in `kubeadm config images list`', async () => {
  const { components } = await readRecipes(['kubernetes-1.33'])
  const images = components.flatMap((each) =>
    each.image === undefined ? [] : [fill(each.image, valuesOf(each, 'amd64'))],
  )
  expect(images.filter((name) => name.startsWith('registry.k8s.io/')).sort()).toEqual([
    'registry.k8s.io/coredns/coredns:v1.12.0',
    'registry.k8s.io/etcd:3.5.24-0',
    'registry.k8s.io/kube-apiserver:v1.33.13',
    'registry.k8s.io/kube-controller-manager:v1.33.13',
    'registry.k8s.io/kube-proxy:v1.33.13',
    'registry.k8s.io/kube-scheduler:v1.33.13',
    'registry.k8s.io/pause:3.10',
  ])
})

test('names on the command line are checked', async () => {
  const { components } = await readRecipes([recipe([GOOD])])
  const options = { with: [], without: ['runk'], choose: () => undefined }
  expect(() => planBuild(components, options)).toThrow('there is no component runk')
})

test('what a build needs on this machine follows from what is to be made', async () => {
  const { components } = await readRecipes([recipe([GOOD])])
  const sources = components.flatMap((component) => component.sources)
  const native = process.arch === 'x64' ? 'amd64' : 'arm64'
  expect(requiredPackages(sources, native)).toEqual(['gcc', 'libc6-dev', 'libx-dev', 'pkg-config'])
  if (native === 'amd64')
    expect(requiredPackages(sources, 'arm64')).toEqual([
      'gcc-aarch64-linux-gnu',
      'libc6-dev-arm64-cross',
      'libx-dev:arm64',
      'pkg-config',
    ])
  expect(requiredPackages([], native)).toEqual([])
})
