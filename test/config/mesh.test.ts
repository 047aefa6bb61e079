import { describe, expect, it } from 'vitest'
import type { InitFlags } from '../../src/config/flags.ts'
import { resolveInit } from '../../src/config/load.ts'
import { parseRelay } from '../../src/config/mesh.ts'
import { input, problemsOf } from './fixtures.ts'

const edgeOf = (flags: InitFlags, yaml?: string) => resolveInit(input(flags, yaml)).edge
const problems = (flags: InitFlags) => problemsOf(() => edgeOf(flags))

describe('relays', () => {
  it.each([
    ['master-1', { nodeName: 'master-1', addresses: [] }],
    ['a=203.0.113.10', { nodeName: 'a', addresses: ['203.0.113.10'] }],
    ['a.b=203.0.113.10,10.0.0.1', { nodeName: 'a.b', addresses: ['203.0.113.10', '10.0.0.1'] }],
  ])('%s', (text, relay) => expect(parseRelay(text)).toEqual(relay))

  it.each([
    ['a=', /is not NODE or NODE=ADDRESS/],
    ['a,b', /is not NODE or NODE=ADDRESS/],
    ['a=1.2.3.4,b=1.2.3.5', /is not NODE or NODE=ADDRESS/],
    ['A_1=1.2.3.4', /RFC 1123/],
    ['a=relay.example.org', /"relay\.example\.org" of the relay a is not an IPv4 address/],
    ['a=2001:db8::1', /is not an IPv4 address/],
    ['a=1.2.3.4,', /"" of the relay a is not an IPv4 address/],
  ])('%s is refused', (text, says) => expect(parseRelay(text)).toMatch(says))

  it('names each node once', () =>
    expect(problems({ 'edgemesh-relay': ['a', 'a=1.2.3.4'] })).toEqual([
      expect.stringContaining('--edgemesh-relay: the node a is named twice'),
    ]))
})

it('takes gateways and relays from flags, or from the file', () => {
  const yaml = `
apiVersion: edgeadm.io/v1alpha1
kind: EdgeConfiguration
edge: {edgeMesh: true, edgeMeshRelays: ["a=1.2.3.4,1.2.3.5"], edgeMeshGateways: [g, h]}
`
  expect(edgeOf({}, yaml)).toMatchObject({
    edgeMesh: true,
    edgeMeshRelays: [{ nodeName: 'a', addresses: ['1.2.3.4', '1.2.3.5'] }],
    edgeMeshGateways: ['g', 'h'],
  })
  expect(edgeOf({ 'edgemesh-gateway': ['i', 'i'] }, yaml).edgeMeshGateways).toEqual(['i'])
})

it('refuses what no node is called, and what --edgemesh=false leaves out', () => {
  expect(problems({ 'edgemesh-gateway': ['Edge_1'] })).toEqual([expect.stringContaining('"Edge_1"')])
  expect(problems({ edgemesh: false, 'edgemesh-gateway': ['a'], 'edgemesh-relay': ['b'] })).toEqual([
    expect.stringContaining('--edgemesh-relay: there is no EdgeMesh for it'),
    expect.stringContaining('--edgemesh-gateway: there is no EdgeMesh for it'),
  ])
})

it("refuses another DNS domain than EdgeMesh's own", () => {
  expect(problems({ edgemesh: true, 'service-dns-domain': 'edge.local' })).toEqual([
    expect.stringContaining('EdgeMesh knows only the DNS domain cluster.local, not edge.local'),
  ])
  expect(resolveInit(input({ 'service-dns-domain': 'edge.local' })).dnsDomain).toBe('edge.local')
})
