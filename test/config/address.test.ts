import { expect, it } from 'vitest'
import { detectAdvertiseAddress } from '../../src/config/address.ts'
import type { HostFacts, NetworkInterface } from '../../src/config/types.ts'
import { facts } from './fixtures.ts'

const link = (name: string, ...addresses: string[]): NetworkInterface => ({
  name,
  up: true,
  loopback: name === 'lo',
  addresses: addresses.map((address) => ({
    address,
    prefixLength: address.includes(':') ? 64 : 24,
    family: address.includes(':') ? 6 : 4,
  })),
})
const via = (name: string, metric = 0, family: 4 | 6 = 4) => ({
  destination: 'default',
  interface: name,
  family,
  metric,
  source: undefined,
})
const machine = (interfaces: NetworkInterface[], routes: HostFacts['routes'] = []): HostFacts => ({
  hostname: 'node',
  interfaces,
  routes,
})

it('takes the address of the interface with the default route', () => {
  const interfaces = [link('eth0', '10.0.0.1'), link('eth1', '10.1.0.1', '10.1.0.9')]
  expect(detectAdvertiseAddress(machine(interfaces, [via('eth1')]))).toBe('10.1.0.1')
  expect(detectAdvertiseAddress(machine(interfaces, [via('eth1', 200), via('eth0', 100)]))).toBe('10.0.0.1')
})

it('prefers IPv4, and takes IPv6 where there is nothing else', () => {
  const both = machine([link('eth0', 'fd00::1', '10.0.0.1')], [via('eth0', 0, 6), via('eth0')])
  expect(detectAdvertiseAddress(both)).toBe('10.0.0.1')
  expect(detectAdvertiseAddress(machine([link('eth0', 'fe80::1', 'fd00::1')], [via('eth0', 0, 6)]))).toBe(
    'fd00::1',
  )
})

it('looks at the loopback interface if the one with the route has only link-local addresses (RFC 5549)', () => {
  const routed = machine([link('lo', '127.0.0.1', '192.0.2.7'), link('eth0', '169.254.1.1')], [via('eth0')])
  expect(detectAdvertiseAddress(routed)).toBe('192.0.2.7')
})

it('works without a default route, and past the bridges of a container engine or a CNI', () => {
  expect(detectAdvertiseAddress(facts)).toBe('10.0.0.10')
  const interfaces = [link('docker0', '172.17.0.1'), link('cni0', '10.244.0.1'), link('ens3', '10.0.0.5')]
  expect(detectAdvertiseAddress(machine(interfaces))).toBe('10.0.0.5')
})

it('finds none on a machine without a network', () =>
  expect(detectAdvertiseAddress(machine([link('lo', '127.0.0.1')]))).toBeUndefined())
