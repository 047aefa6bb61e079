import { expect, it } from 'vitest'
import { resolveInit, resolveJoin } from '../../src/config/load.ts'
import type { HostFacts } from '../../src/config/types.ts'
import { facts, input, problemsOf } from './fixtures.ts'

/** The machine of the fixtures, with an IPv6 address beside its IPv4 one. */
const both: HostFacts = {
  ...facts,
  interfaces: facts.interfaces.map((one) =>
    one.name === 'eth0'
      ? { ...one, addresses: [...one.addresses, { address: 'fd00::10', prefixLength: 64, family: 6 }] }
      : one,
  ),
}
const IPV6 = {
  'pod-network-cidr': 'fd00:10:244::/56',
  'service-cidr': 'fd00:10:96::/112',
  'apiserver-advertise-address': 'fd00::10',
  'enable-edge': false,
}
const init = (flags: object) => resolveInit({ ...input(flags), facts: both })

it('one family in a cluster', () => {
  expect(init(IPV6).advertiseAddress).toBe('fd00::10')
  expect(init({}).advertiseAddress).toBe('10.0.0.10')
  const { 'apiserver-advertise-address': _, ...mixed } = IPV6
  expect(problemsOf(() => init(mixed))).toEqual([
    expect.stringMatching(/^IPv4 and IPv6 are mixed: .* this master's address 10\.0\.0\.10; give all three/),
  ])
  expect(problemsOf(() => init({ 'node-ip': '10.0.0.10,fd00::10' }))).toEqual([
    '--node-ip: dual-stack clusters are not supported: name one address',
  ])
})

it('no edge nodes and no virtual address of its own with IPv6', () => {
  expect(problemsOf(() => init({ ...IPV6, 'enable-edge': true }))).toEqual([
    '--enable-edge: edge nodes are not supported in an IPv6 cluster: --enable-edge=false',
  ])
  const balanced = { ...IPV6, ha: 'haproxy-keepalived', 'control-plane-endpoint': '[fd00::100]:8443' }
  expect(problemsOf(() => init(balanced))).toEqual([
    expect.stringContaining('--ha=haproxy-keepalived: is not supported in an IPv6 cluster'),
  ])
})

it('an edge node does not join by IPv6, a worker does', () => {
  const join = (flags: object) =>
    resolveJoin({
      ...input({
        token: 'abcdef.0123456789abcdef',
        'discovery-token-unsafe-skip-ca-verification': true,
        ...flags,
      }),
      facts: both,
      endpoint: '[fd00::1]:6443',
    })
  expect(problemsOf(() => join({}))).toEqual([
    'edge nodes are not supported in an IPv6 cluster, and fd00::1 is an IPv6 address',
  ])
  expect(join({ 'enable-edge': false }).role).toBe('worker')
})
