import { describe, expect, test } from 'vitest'
import type { InitFlags } from '../../../../src/config/flags.ts'
import { resolveInit } from '../../../../src/config/load.ts'
import type { PackageManifest } from '../../../../src/package/index.ts'
import type { InitContext } from '../../../../src/phases/context.ts'
import { meshImages } from '../../../../src/phases/edge/mesh/images.ts'
import { meshRelays } from '../../../../src/phases/edge/mesh/relays.ts'
import { input } from '../../../config/fixtures.ts'

const EDGE = ['cloudcore', 'iptables-manager', 'pause']
const AGENT = 'docker.io/kubeedge/edgemesh-agent:v1'
const GATEWAY = 'docker.io/kubeedge/edgemesh-gateway:v1'

const context = (flags: InitFlags, images: readonly string[]) =>
  ({
    settings: resolveInit(input(flags)),
    manifest: {
      components: [{ name: 'kubeedge', version: 'v1.23.1' }],
      files: [{ path: 'bin/edgecore' }],
      images: [...EDGE.map((name) => `example.org/${name}:v1`), ...images].map((name) => ({ name })),
    } as unknown as PackageManifest,
  }) as InitContext
const imagesOf = (flags: InitFlags, ...images: string[]) => meshImages(context(flags, images))

test('the default follows the package', () => {
  expect(imagesOf({}, AGENT, GATEWAY)).toEqual({ agent: AGENT, gateway: undefined })
  expect(imagesOf({})).toEqual({ reason: 'the package has no EdgeMesh' })
  expect(imagesOf({ edgemesh: false }, AGENT)).toEqual({ reason: '--edgemesh=false' })
})

test('a gateway is there when it is asked for', () =>
  expect(imagesOf({ 'edgemesh-gateway': ['a'] }, AGENT, GATEWAY)).toEqual({ agent: AGENT, gateway: GATEWAY }))

describe('what was asked for and cannot be had is refused', () => {
  test.each<[string, InitFlags, string[], string]>([
    ['EdgeMesh', { edgemesh: true }, [], '--edgemesh: the package has no EdgeMesh'],
    ['a relay', { 'edgemesh-relay': ['a'] }, [], '--edgemesh-relay: the package has no EdgeMesh'],
    [
      'a gateway without its image',
      { 'edgemesh-gateway': ['a'] },
      [AGENT],
      "--edgemesh-gateway: the package has no EdgeMesh's gateway",
    ],
    [
      'a gateway without edge nodes',
      { 'edgemesh-gateway': ['a'], 'enable-edge': false },
      [AGENT, GATEWAY],
      '--edgemesh-gateway: --enable-edge=false, and EdgeMesh is for edge nodes',
    ],
    [
      'another DNS domain',
      { 'service-dns-domain': 'edge.local' },
      [AGENT],
      'EdgeMesh, which is in the package, knows only the DNS domain cluster.local, and --service-dns-domain is edge.local',
    ],
  ])('%s', (_, flags, images, says) => expect(() => imagesOf(flags, ...images)).toThrow(says))
})

describe('relays before there is a cluster', () => {
  const relaysOf = async (flags: InitFlags) =>
    (await meshRelays(context({ 'dry-run': true, ...flags }, [AGENT]))).relays

  test('this master, with its own address and the one for edges', async () => {
    expect(await relaysOf({ 'cloud-address': ['203.0.113.10', 'cloud.example.org'] })).toEqual([
      { nodeName: 'master-1', advertiseAddress: ['10.0.0.10', '203.0.113.10'] },
    ])
  })

  test("not a balancer's address", async () => {
    expect(await relaysOf({ 'control-plane-endpoint': '10.0.0.99:6443' })).toEqual([
      { nodeName: 'master-1', advertiseAddress: ['10.0.0.10'] },
    ])
  })
})
