import { expect, it } from 'vitest'
import type { NetworkInterface } from '../../../src/config/types.ts'
import { carrier } from '../../../src/phases/load-balancer/interface.ts'

const nic: NetworkInterface = {
  name: 'eth1',
  up: true,
  loopback: false,
  addresses: [
    { address: '10.0.0.11', prefixLength: 24, family: 4 },
    { address: 'fd00::11', prefixLength: 64, family: 6 },
  ],
}

it.each([
  ['10.0.0.240', '10.0.0.11'],
  ['fd00::f0', 'fd00::11'],
])('carries %s beside the advertise address %s', (virtual, own) => {
  expect(carrier(nic, 'eth1', virtual, own)).toEqual({ name: 'eth1', address: own })
})

it.each([
  ['10.0.1.240', '10.0.0.11', 'is not in the network of the interface eth1 (10.0.0.11/24)'],
  ['10.0.0.240', '172.16.0.5', 'advertise address 172.16.0.5 is not on the interface eth1'],
  ['10.0.0.11', '10.0.0.11', 'has no IPv4 address'],
])('refuses %s beside the advertise address %s', (virtual, own, why) => {
  expect(carrier(nic, 'eth1', virtual, own)).toEqual({ problem: expect.stringContaining(why) })
})

it('refuses an interface that is not there or has no address of the family', () => {
  expect(carrier(undefined, 'eth9', '10.0.0.240', '10.0.0.11')).toEqual({
    problem: 'the network interface eth9 has no IPv4 address, so it cannot carry 10.0.0.240',
  })
})
