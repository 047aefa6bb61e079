import { expect, test } from 'vitest'
import { dryRunHosts } from '../../../src/host/dry-run.ts'
import type { NodeContext } from '../../../src/phases/context.ts'
import { holdsSomething, removeTornFiles } from '../../../src/phases/kubernetes/torn-files.ts'
import { MemoryMachine } from '../../host/memory-machine.ts'

test('files of no bytes or of zeros go, so that kubeadm makes them; whole ones stay', async () => {
  const machine = new MemoryMachine()
  await machine.put('/etc/kubernetes/pki/ca.crt', '')
  await machine.put('/etc/kubernetes/pki/etcd/ca.key', '\0'.repeat(1675))
  await machine.put('/etc/kubernetes/pki/sa.key', 'key')
  await machine.put('/var/lib/kubelet/config.yaml', '\0\0')
  await machine.put('/srv/pki/front-proxy-ca.crt', '')
  const host = dryRunHosts(machine, () => {})('certs')
  const settings = { command: 'init', certDir: '/srv/pki' }
  await removeTornFiles({ host, settings, emit: () => {} } as unknown as NodeContext)
  expect(await host.list('/etc/kubernetes/pki')).toEqual(['etcd', 'sa.key'])
  expect(await host.list('/etc/kubernetes/pki/etcd')).toEqual([])
  expect(await host.list('/var/lib/kubelet')).toEqual([])
  expect(await host.list('/srv/pki')).toEqual([])
})

test.each([
  [undefined, false],
  ['', false],
  ['\0\0', false],
  ['\0a', true],
])('%j holds something: %s', (text, expected) => {
  expect(holdsSomething(text)).toBe(expected)
})
