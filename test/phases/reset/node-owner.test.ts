import { describe, expect, test } from 'vitest'
import type { LedgerEntry } from '../../../src/host/ledger.ts'
import { Ledger } from '../../../src/host/ledger.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import { foreignOwner, ownsNode } from '../../../src/phases/reset/node-owner.ts'
import { MemoryMachine } from '../../host/memory-machine.ts'

const KUBELET_CONF = '/etc/kubernetes/kubelet.conf'
const entry = (path: string, id = path): LedgerEntry => ({
  kind: 'claim',
  path,
  kept: null,
  id,
  phase: 'test',
  time: '',
})
const kubernetes = entry('/etc/kubernetes')
const kubelet = entry(KUBELET_CONF)
const swap: LedgerEntry = {
  kind: 'sysctl',
  key: 'vm.x',
  before: '0',
  id: 's',
  phase: 'node/sysctl',
  time: '',
}

describe('edgeadm made the node', () => {
  test('where kubelet.conf was claimed before kubeadm ran', () => {
    const history = [kubernetes, kubelet]
    expect(ownsNode({ pending: history, history })).toBe(true)
  })

  test('where an interrupted reset settled that claim already, but not the directory', () => {
    expect(ownsNode({ pending: [kubernetes], history: [kubernetes, kubelet] })).toBe(true)
  })

  test('where edgecore was installed by it', () => {
    const unit: LedgerEntry = {
      kind: 'file',
      path: '/etc/systemd/system/edgecore.service',
      before: { type: 'absent' },
      id: 'e',
      phase: 'edge/edgecore',
      time: '',
    }
    expect(ownsNode({ pending: [unit], history: [unit] })).toBe(true)
  })
})

describe('edgeadm did not make the node', () => {
  test.each([
    ['nothing is on record', [], []],
    ['an init ended before kubeadm ran', [kubernetes, swap], [kubernetes, swap]],
    ['a former node of edgeadm was taken back', [], [kubernetes, kubelet]],
    [
      'a former node was taken back and a later init ended early',
      [entry('/etc/kubernetes', 'again')],
      [kubernetes, kubelet, entry('/etc/kubernetes', 'again')],
    ],
  ])('where %s', (_, pending, history) => {
    expect(ownsNode({ pending, history })).toBe(false)
  })
})

describe('a node of others is named', () => {
  const none = { pending: [], history: [] }
  const machine = (active?: string): MemoryMachine =>
    new MemoryMachine((line) => ({
      stdout: line === `systemctl is-active ${active}` ? 'active' : 'inactive',
    }))
  const owner = async (on: MemoryMachine) =>
    (
      await foreignOwner(
        recordedHost(on, new Ledger('/nowhere'), 'test', () => {}),
        none,
      )
    )?.name

  test('by the files of kubeadm', async () => {
    const on = machine()
    expect(await owner(on)).toBeUndefined()
    await on.put(KUBELET_CONF, '')
    expect(await owner(on)).toBe('kubeadm')
    await on.put('/usr/local/bin/kube-scripts/initOS.sh', '')
    expect(await owner(on)).toBe('KubeKey')
  })

  test.each([
    ['k3s.service', 'k3s'],
    ['rke2-agent.service', 'RKE2'],
    ['k0sworker.service', 'k0s'],
    ['snap.microk8s.daemon-kubelite.service', 'MicroK8s'],
  ])('by the unit %s', async (unit, name) => {
    expect(await owner(machine(unit))).toBe(name)
  })

  test('by the files of keadm', async () => {
    const on = machine()
    await on.put('/etc/kubeedge/config/edgecore.yaml', '')
    expect(await owner(on)).toBe('keadm')
  })
})
