import { expect, test } from 'vitest'
import { apiAddressOf, mastersIn, recordName } from '../../src/kubernetes/masters.ts'

const record = (node: string, data: object = {}, name = recordName(node)) => ({
  metadata: { name },
  data: { node, address: '10.0.0.11', apiServer: '10.0.0.11:6443', relayAddresses: '10.0.0.11', ...data },
})

test('masters come in the order of their names', () => {
  const found = mastersIn([record('m2'), record('m1', { relayAddresses: '10.0.0.11 203.0.113.1' })])
  expect(found.map(({ node }) => node)).toEqual(['m1', 'm2'])
  expect(found[0]?.relayAddresses).toEqual(['10.0.0.11', '203.0.113.1'])
})

test('what is no record of a master makes none', () => {
  const others = [
    record('m1', {}, 'edgeadm-master-m2'),
    record('m1', { apiServer: '' }),
    record(''),
    { metadata: { name: 'edgeadm-master-m3' } },
  ]
  expect(mastersIn(others)).toEqual([])
})

test.each([
  ['10.0.0.11:6443', '10.0.0.11'],
  ['[fd00::11]:6443', 'fd00::11'],
])('the address of the API server at %s is %s', (apiServer, address) => {
  expect(apiAddressOf({ node: 'm', address: '', apiServer, relayAddresses: [] })).toBe(address)
})
