import { expect, test } from 'vitest'
import type { InitFlags } from '../../../../src/config/flags.ts'
import { resolveInit } from '../../../../src/config/load.ts'
import type { PackageManifest } from '../../../../src/package/index.ts'
import type { InitContext } from '../../../../src/phases/context.ts'
import { isSuperEdgeCluster, requireLiteApiserver } from '../../../../src/phases/edge/superedge/runtime.ts'
import { withEdge } from '../../../../src/phases/edge/with-edge.ts'
import { input } from '../../../config/fixtures.ts'

const context = (flags: InitFlags, ...files: string[]) =>
  ({
    settings: resolveInit(input(flags)),
    manifest: { files: files.map((path) => ({ path })) } as unknown as PackageManifest,
  }) as InitContext

test.each<[InitFlags, true | string]>([
  [{ 'edge-runtime': 'superedge' }, true],
  [{}, '--edge-runtime=kubeedge'],
  [{ 'edge-runtime': 'superedge', 'enable-edge': false }, '--enable-edge=false'],
])('with %j the cluster is for SuperEdge: %j', (flags, answer) => {
  expect(isSuperEdgeCluster(context(flags))).toBe(answer)
})

test('a cluster for SuperEdge gets no CloudCore', () => {
  expect(withEdge(context({ 'edge-runtime': 'superedge' }))).toBe('--edge-runtime=superedge')
})

test('a package without lite-apiserver is refused', () => {
  requireLiteApiserver(context({}, 'bin/kubelet', 'bin/lite-apiserver'))
  expect(() => requireLiteApiserver(context({}, 'bin/kubelet'))).toThrow(
    'the package has no lite-apiserver, which --edge-runtime=superedge needs',
  )
})
