import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EdgeadmError } from '../../../src/output/errors.ts'
import { BUILTIN_RECIPES, KUBERNETES_RECIPES } from '../../../src/package/build/builtin.ts'
import { knownPins } from '../../../src/package/build/pins.ts'
import { planBuild } from '../../../src/package/build/plan.ts'
import { readRecipes } from '../../../src/package/build/read-recipe.ts'
import { fill, valuesOf } from '../../../src/package/build/recipe.ts'
import { requiredPackages } from '../../../src/package/build/requirements.ts'
import { pinOf } from '../../../src/package/build/sources/release.ts'
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

/** The recipes of one package for each Kubernetes, with all that can go beside it. */
const others = BUILTIN_RECIPES.filter((name) => !KUBERNETES_RECIPES.includes(name))

test.each(KUBERNETES_RECIPES)(
  '%s can be read and planned with all others, from releases and built here',
  async (kubernetes) => {
    const { components, kubernetesVersion } = await readRecipes([kubernetes, ...others])
    expect(kubernetesVersion).toMatch(
      new RegExp(`^v${kubernetes.replace('kubernetes-', '').replace('.', '\\.')}\\.\\d+$`),
    )
    expect(JSON.stringify(components)).not.toMatch(
      /\{(kubernetes|minor|staging|go|godebug|etcd|coredns|pause)\}/,
    )
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
  },
)

// Of cmd/kubeadm/app/constants/constants.go in each release: DefaultEtcdVersion, CoreDNSVersion, PauseVersion.
test.each([
  ['kubernetes-1.33', 'v1.33.13', '3.5.24-0', 'v1.12.0', '3.10'],
  ['kubernetes-1.34', 'v1.34.4', '3.6.5-0', 'v1.12.1', '3.10.1'],
  ['kubernetes-1.35', 'v1.35.4', '3.6.6-0', 'v1.13.1', '3.10.1'],
  ['kubernetes-1.36', 'v1.36.3', '3.6.8-0', 'v1.14.2', '3.10.2'],
  ['kubernetes-1.37', 'v1.37.2', '3.7.0-0', 'v1.14.6', '3.10.2'],
])(
  'the images of %s are those that its kubeadm names in `kubeadm config images list`',
  async (recipe, version, etcd, coredns, pause) => {
    const { components } = await readRecipes([recipe])
    const images = components.flatMap((each) =>
      each.image === undefined ? [] : [fill(each.image, valuesOf(each, 'amd64'))],
    )
    expect(images.filter((name) => name.startsWith('registry.k8s.io/')).sort()).toEqual([
      `registry.k8s.io/coredns/coredns:${coredns}`,
      `registry.k8s.io/etcd:${etcd}`,
      `registry.k8s.io/kube-apiserver:${version}`,
      `registry.k8s.io/kube-controller-manager:${version}`,
      `registry.k8s.io/kube-proxy:${version}`,
      `registry.k8s.io/kube-scheduler:${version}`,
      `registry.k8s.io/pause:${pause}`,
    ])
    const kubernetes = components.find(({ name }) => name === 'kubernetes')
    expect(kubernetes?.version).toBe(version)
  },
)

test('what is wrong with shared components is said with the recipe that names them', async () => {
  const path = join(temporaryFolder(), 'own.yaml')
  const head = 'apiVersion: edgeadm.io/v1alpha1\nkind: PackageRecipe\nkubernetesVersion: v1.34.4\n'
  for (const [text, problem] of [
    ['from: ../kubeedge\nvalues: {}\n', 'from is not the name of a file'],
    ['from: kubernetes\n', 'values is not a map of texts'],
    ['from: kubernetes\nvalues: { pause: 3.10 }\n', 'values is not a map of texts'],
    ['from: nothing\nvalues: {}\n', 'there is no packages-manifests/shared/nothing.yaml'],
    ['from: kubernetes\nvalues: { version: "1" }\n', 'values may not name version'],
    ['from: kubernetes\nvalues: { kubernetes: v1.34.4 }\n', 'values lack v{etcd}, the version of etcd'],
  ]) {
    writeFileSync(path, head + text)
    await expect(readRecipes([path]), text).rejects.toThrow(`${path}: ${problem}`)
  }
})

test('components that no version of Kubernetes changes are the same for all: they are made once', async () => {
  const versioned =
    /^(kubernetes|kube-.*-image|etcd|etcdctl|etcdutl|etcd-image|coredns|coredns-image|pause|pause-image)$/
  const shared = async (recipe: string) =>
    (await readRecipes([recipe])).components.filter(({ name }) => !versioned.test(name))
  const first = await shared('kubernetes-1.33')
  expect(first.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['containerd', 'runc', 'flannel-image']),
  )
  for (const recipe of KUBERNETES_RECIPES) expect(await shared(recipe)).toEqual(first)
})

test('each value that a Kubernetes recipe needs is given', async () => {
  for (const recipe of KUBERNETES_RECIPES) {
    const { components } = await readRecipes([recipe])
    const left = [...JSON.stringify(components).matchAll(/(?<!\$)\{([a-z]+)\}/gi)].map(([, name]) => name)
    expect(new Set(left.filter((name) => !['version', 'bare', 'arch', 'name'].includes(name ?? '')))).toEqual(
      new Set(),
    )
  }
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

test.each(BUILTIN_RECIPES)(
  '%s: what is published is pinned for both architectures, or listed as not pinned',
  async (name) => {
    const kubernetes = KUBERNETES_RECIPES.includes(name) ? [] : [KUBERNETES_RECIPES[0] as string]
    const { components } = await readRecipes([...kubernetes, name])
    const { unpinned } = knownPins()
    const open: string[] = []
    for (const component of components)
      for (const source of component.sources) {
        if (source.type === 'image') {
          const repository = source.reference.slice(0, source.reference.lastIndexOf(':'))
          if (source.digest === undefined && !unpinned.includes(repository)) open.push(source.reference)
          if (source.digest !== undefined) expect(source.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
        }
        if (source.type !== 'release' || unpinned.includes(`${component.name} ${component.version}`)) continue
        for (const arch of ['amd64', 'arm64'] as const)
          for (const program of Object.values(component.files ?? { only: component.name }))
            if (!/^[0-9a-f]{64}$/.test(pinOf(source, arch, program) ?? ''))
              open.push(`${component.name} ${arch} ${program}`)
      }
    expect(open).toEqual([])
  },
)
