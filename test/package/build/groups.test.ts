import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkContents, groupsFor } from '../../../src/lab/package.ts'
import { BUILTIN_RECIPES, DEFAULT_RECIPES } from '../../../src/package/build/builtin.ts'
import { chooseGroups } from '../../../src/package/build/groups.ts'
import { packageFileName } from '../../../src/package/paths.ts'

const NONE = { manifest: undefined, with: [], without: [] }

test('the default package has neither lite-apiserver nor haproxy and keepalived', () => {
  expect(chooseGroups(NONE)).toEqual({ recipes: DEFAULT_RECIPES, with: [], without: [], variant: [] })
  expect(DEFAULT_RECIPES.map((name) => name.replace(/-[\d.]+$/, ''))).toEqual(['kubernetes', 'kubeedge'])
  const files = readdirSync('packages-manifests').filter((name) => name.endsWith('.yaml'))
  expect([...BUILTIN_RECIPES].sort()).toEqual(files.map((name) => name.replace('.yaml', '')).sort())
})

test('--with and --without take groups, with or without their version, and components', () => {
  const chosen = chooseGroups({
    ...NONE,
    with: ['superedge', 'load-balancer', 'edgemesh-gateway-image'],
    without: ['kubeedge', 'flannel-image'],
  })
  expect(chosen).toEqual({
    recipes: ['kubernetes-1.33', 'load-balancer', 'superedge-0.9'].sort((a, b) =>
      chosen.recipes.indexOf(a) < chosen.recipes.indexOf(b) ? -1 : 1,
    ),
    with: ['edgemesh-gateway-image'],
    without: ['flannel-image'],
    variant: ['load-balancer', 'no-kubeedge', 'superedge'],
  })
  expect(chooseGroups({ ...NONE, with: ['superedge-0.9', 'superedge'] }).recipes).toEqual([
    ...DEFAULT_RECIPES,
    'superedge-0.9',
  ])
  // What was named with --manifest is extended, too, but the name of the file is the user's affair then.
  expect(
    chooseGroups({ ...NONE, manifest: ['kubernetes-1.33', './own.yaml'], with: ['load-balancer'] }),
  ).toMatchObject({ recipes: ['kubernetes-1.33', './own.yaml', 'load-balancer'], variant: [] })
  // Kubernetes itself stays: the name means its component of programs.
  expect(chooseGroups({ ...NONE, without: ['kubernetes'] })).toMatchObject({
    recipes: DEFAULT_RECIPES,
    without: ['kubernetes'],
  })
})

test('another Kubernetes is chosen by its version, and what no recipe makes is refused', () => {
  const choose = (kubernetesVersion: string) => chooseGroups({ ...NONE, kubernetesVersion }).recipes
  for (const text of ['1.34', 'v1.34', '1.34.4', 'v1.34.4', 'stable-1.34'])
    expect(choose(text)).toEqual(['kubernetes-1.34', 'kubeedge-1.23'])
  for (const text of ['1.34.3', '1.99', 'newest', ''])
    expect(() => choose(text), text).toThrow(
      expect.objectContaining({
        class: 'usage',
        message: `no recipe makes Kubernetes ${text}`,
        fix: expect.stringContaining('v1.33.13, v1.34.4'),
      }),
    )
  expect(() => chooseGroups({ ...NONE, manifest: ['kubernetes-1.34'], kubernetesVersion: '1.34' })).toThrow(
    '--manifest names all',
  )
})

test('packages of other groups have other names: none overwrites the other', () => {
  const names = { edgeVersion: '0.1.0', kubernetesVersion: 'v1.33.13', arch: 'amd64' } as const
  expect(packageFileName(names)).toBe('edgeadm-0.1.0-kube-v1.33.13-linux-amd64.tar.zst')
  expect(packageFileName({ ...names, variant: ['load-balancer', 'superedge'] })).toBe(
    'edgeadm-0.1.0-kube-v1.33.13-load-balancer-superedge-linux-amd64.tar.zst',
  )
})

test('a lab of several masters has the load balancer built in, and refuses a package without it', () => {
  const counts = { masters: 3, workers: 0, edges: 0 }
  expect(groupsFor({ ...counts, minimal: false })).toEqual({ with: ['load-balancer'], without: [] })
  expect(groupsFor({ ...counts, masters: 1, minimal: true })).toEqual({ with: [], without: ['kubeedge'] })
  const image = (name: string) => ({ name, digest: 'sha256:0', size: 1 })
  const edgecore = {
    path: 'bin/edgecore',
    size: 1,
    mode: 0o755,
    sha256: '0',
    component: 'kubeedge',
    licence: 'Apache-2.0',
  }
  const both = [image('edgeadm.io/haproxy:1'), image('edgeadm.io/keepalived:1')]
  expect(() => checkContents({ images: [], files: [] }, { ...counts, package: '/p' })).toThrow(
    expect.objectContaining({
      class: 'usage',
      message: 'the package /p has no haproxy, which several masters need',
      fix: expect.stringContaining('edgeadm package build --with load-balancer'),
    }),
  )
  checkContents({ images: both, files: [] }, { ...counts, package: '/p' })
  const edge = { masters: 1, workers: 0, edges: 1, package: '/p' }
  expect(() => checkContents({ images: [], files: [] }, edge)).toThrow('has no edgecore')
  checkContents({ images: [], files: [edgecore] }, edge)
})
