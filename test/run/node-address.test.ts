import { expect, it } from 'vitest'
import { resolveInit, resolveJoin } from '../../src/config/load.ts'
import { dryRunHosts } from '../../src/host/dry-run.ts'
import { withSourceAddress } from '../../src/run/node-address.ts'
import { input, problemsOf } from '../config/fixtures.ts'
import { MemoryMachine } from '../host/memory-machine.ts'

const LINE = { token: 'abcdef.0123456789abcdef', 'discovery-token-unsafe-skip-ca-verification': true }
const join = (flags: object = {}) =>
  resolveJoin({ ...input({ ...LINE, ...flags }), endpoint: 'api.example:6443' })

/** A machine that reaches one network through eth1, and all else through a NAT card. */
const host = () => {
  const machine = new MemoryMachine((line) => {
    if (line === 'getent ahosts api.example') return { stdout: '192.168.56.10 STREAM api.example\n' }
    if (line === 'ip -json route get 192.168.56.10') return { stdout: '[{"prefsrc":"192.168.56.21"}]' }
    return line.startsWith('ip -json route get') ? { stdout: '[{"prefsrc":"10.0.2.15"}]' } : undefined
  })
  return dryRunHosts(machine, () => {})('settings')
}

it('is the one from which the control plane is reached, not that of the default route', async () => {
  const worker = await withSourceAddress(host(), join({ 'enable-edge': false }))
  expect(worker.node).toMatchObject({ address: '192.168.56.21', kubeletAddress: '192.168.56.21' })
  const master = await withSourceAddress(host(), join({ 'control-plane': true }))
  expect(master.controlPlane?.advertiseAddress).toBe('192.168.56.21')
})

it('is the one from which an edge node reaches CloudCore', async () => {
  const edge = await withSourceAddress(host(), join({ 'cloud-address': ['203.0.113.5'] }))
  expect(edge.node.address).toBe('10.0.2.15')
})

it('is the one that the user names, which a machine has to have', async () => {
  const named = await withSourceAddress(host(), join({ 'node-ip': '10.0.0.10' }))
  expect(named.node).toMatchObject({ address: '10.0.0.10', kubeletAddress: '10.0.0.10' })
  expect(resolveInit(input({ 'node-ip': '10.0.0.10' })).advertiseAddress).toBe('10.0.0.10')
  expect(problemsOf(() => join({ 'node-ip': '10.9.9.9' }))).toEqual([
    '--node-ip: no interface of this machine has 10.9.9.9',
  ])
  const yaml = 'apiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\nnode: {ip: 10.0.0.300}\n'
  expect(problemsOf(() => resolveInit(input({}, yaml)))).toEqual([
    'cluster.yaml:3: node.ip: "10.0.0.300" is not an IPv4 or IPv6 address',
  ])
})

it('an advertise address that is on no interface (NAT) is not given to the kubelet', () =>
  expect(
    resolveInit(input({ 'apiserver-advertise-address': '203.0.113.9' })).node.kubeletAddress,
  ).toBeUndefined())
