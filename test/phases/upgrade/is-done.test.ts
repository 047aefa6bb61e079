import { expect, test } from 'vitest'
import type { Host, Output } from '../../../src/host/host.ts'
import type { PackageManifest } from '../../../src/package/index.ts'
import { clusterIsAt, hasPackage } from '../../../src/phases/upgrade/is-done.ts'

const NEW = 'v1.34.4'
const OLD = 'v1.33.13'

interface Cluster {
  readonly config: string
  readonly apiServers: readonly string[]
  /** Undefined: without kube-proxy. */
  readonly proxy: string | undefined
}

const containers = (name: string, version: string) => [{ name, image: `registry.k8s.io/${name}:${version}` }]

/** kubectl's answers; a cluster that runs is for the tests on machines. */
function host({ config, apiServers, proxy }: Cluster): Host {
  const objects: Readonly<Record<string, unknown>> = {
    configmap: {
      data: { ClusterConfiguration: `kind: ClusterConfiguration\nkubernetesVersion: ${config}\n` },
    },
    pods: {
      items: apiServers.map((version, index) => ({
        metadata: { name: `api-${index}`, namespace: 'kube-system' },
        spec: { nodeName: `master-${index + 1}`, containers: containers('kube-apiserver', version) },
        status: {},
      })),
    },
    ...(proxy === undefined
      ? {}
      : { daemonset: { spec: { template: { spec: { containers: containers('kube-proxy', proxy) } } } } }),
  }
  const probe = async (_: string, args: readonly string[]): Promise<Output> => {
    const object = objects[args[args.indexOf('get') + 1] ?? '']
    return object === undefined
      ? { exitCode: 1, stdout: '', stderr: 'Error from server (NotFound): not found' }
      : { exitCode: 0, stdout: JSON.stringify(object), stderr: '' }
  }
  return { probe } as unknown as Host
}

test.each([
  ['all of it is new', { config: NEW, apiServers: [NEW], proxy: NEW }, true],
  [
    'another master is to come, and kube-proxy with it',
    { config: NEW, apiServers: [NEW, OLD], proxy: OLD },
    true,
  ],
  ['the last master left the add-ons out', { config: NEW, apiServers: [NEW, NEW], proxy: OLD }, false],
  ['a cluster without kube-proxy', { config: NEW, apiServers: [NEW], proxy: undefined }, true],
  ['only the API server was changed', { config: OLD, apiServers: [NEW], proxy: OLD }, false],
])('%s', async (_, cluster, expected) => {
  expect(await clusterIsAt(host(cluster), NEW)).toBe(expected)
})

test('a package counts once a run with it went through, and another build of it does not', async () => {
  const manifest = { kubernetesVersion: NEW, files: [{ path: 'bin/kubelet', sha256: 'a' }] }
  const other = { kubernetesVersion: NEW, files: [{ path: 'bin/kubelet', sha256: 'b' }] }
  const noted = (text: string | undefined) => ({ readFile: async () => text }) as unknown as Host
  const here = manifest as unknown as PackageManifest
  expect(await hasPackage(noted(`${JSON.stringify(manifest)}\n`), here)).toBe(true)
  expect(await hasPackage(noted(`${JSON.stringify(other)}\n`), here)).toBe(false)
  expect(await hasPackage(noted(undefined), here)).toBe(false)
})
