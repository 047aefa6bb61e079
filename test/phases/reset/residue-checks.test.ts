import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Ledger } from '../../../src/host/ledger.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import { undoAll } from '../../../src/host/undo.ts'
import { saveBaseline } from '../../../src/network/baseline.ts'
import type { ResetContext } from '../../../src/phases/reset/context.ts'
import { findResidue } from '../../../src/phases/reset/residue-checks.ts'
import { MemoryMachine } from '../../host/memory-machine.ts'

const { signal } = new AbortController()
let directory: string
let ledger: Ledger

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-residue-'))
  ledger = new Ledger(directory)
})
afterEach(async () => rm(directory, { recursive: true }))

async function residueOf(machine: MemoryMachine): Promise<Record<string, string>> {
  const ctx = {
    host: recordedHost(machine, ledger, 'test', () => {}),
    ledger,
    machine,
    residue: [],
    facts: { ownsContainerd: true, mayHaveRunPods: true },
  } as unknown as ResetContext
  return Object.fromEntries((await findResidue(ctx)).map(({ what, why }) => [what, why]))
}

test('a machine where nothing is left has none', async () => {
  const machine = new MemoryMachine(() => ({ stdout: '' }))
  await recordedHost(machine, ledger, 'test', () => {}).writeFile('/etc/x', 'x')
  expect(await undoAll(machine, ledger, { signal, onEntry: () => {} })).toEqual([])
  expect(await residueOf(machine)).toEqual({})
})

test('what was not taken back, and what came again, is named', async () => {
  const machine = new MemoryMachine(() => ({ stdout: '' }))
  const host = recordedHost(machine, ledger, 'test', () => {})
  await host.writeFile('/etc/again', 'x')
  await undoAll(machine, ledger, { signal, onEntry: () => {} })
  await machine.put('/etc/again', 'y')
  await machine.put('/proc/sys/vm/overcommit_memory', '0\n')
  await host.writeFile('/etc/new', 'x')
  await host.sysctl('vm.overcommit_memory', '1')
  expect(await residueOf(machine)).toMatchObject({
    '/etc/again': 'something made it again after it had been removed',
    '/etc/new': 'not done yet: remove /etc/new',
    'sysctl vm.overcommit_memory': 'not done yet: restore sysctl vm.overcommit_memory = 0',
  })
})

test('mounts, units, processes, ports, links, namespaces and rules are looked at', async () => {
  const namespace = 'cni-0104da98-aff5-75b4-6853-f96477379201'
  const rules = {
    nftables: [
      { table: { family: 'ip', name: 'nat' } },
      { chain: { family: 'ip', table: 'nat', name: 'KUBE-SERVICES' } },
      { chain: { family: 'ip', table: 'nat', name: 'MINE' } },
    ],
  }
  const machine = new MemoryMachine((line) => {
    if (line.startsWith('nft --json')) return { stdout: JSON.stringify(rules) }
    if (line.startsWith('ip -details'))
      return { stdout: JSON.stringify([{ ifname: 'cni0' }, { ifname: 'eth0' }]) }
    if (line.startsWith('systemctl list-units'))
      return { stdout: 'kubepods.slice loaded active active x\nssh.service loaded active running x' }
    if (line.startsWith('ss '))
      return {
        stdout:
          'LISTEN 0 128 *:10250 *:* users:(("kubelet",pid=9,fd=1))\nLISTEN 0 128 *:6443 *:* users:(("nginx",pid=8,fd=1))',
      }
    return { stdout: '' }
  })
  await saveBaseline({ links: ['eth0'], namespaces: [], rules: { nf_tables: ['ip nat'] } }, directory)
  await machine.put(
    '/proc/self/mountinfo',
    '1 2 0:1 / /var/lib/kubelet/pods/x/volumes/y rw - tmpfs tmpfs rw\n',
  )
  await machine.put(`/run/netns/${namespace}`, '')
  await machine.put('/proc/1/cgroup', '0::/init.scope\n')
  await machine.put('/proc/7/status', 'State:\tS\nPPid:\t1\n')
  await machine.put('/proc/7/cmdline', '/pause\0')
  await machine.put('/proc/7/cgroup', '0::/kubepods.slice/pod1.slice/x.scope\n')
  expect(await residueOf(machine)).toEqual({
    'mount /var/lib/kubelet/pods/x/volumes/y': expect.stringContaining('it is in use'),
    'process 7 (/pause)': 'it still runs',
    'unit kubepods.slice': 'systemd still has it: loaded, active',
    [`network namespace ${namespace}`]: 'a Pod left it',
    'interface cni0': 'the network of Pods left it',
    'firewall table ip nat': 'it still has KUBE-SERVICES (nft)',
    'port 10250': 'kubelet (pid 9) listens on it',
  })
})

test('rules that no program of the machine can show are named', async () => {
  const machine = new MemoryMachine((line) =>
    /^(nft|iptables|ip6tables)/.test(line) ? { exitCode: 127 } : { stdout: '' },
  )
  await saveBaseline({ links: [], namespaces: [], rules: {} }, directory)
  expect(await residueOf(machine)).toEqual({
    'firewall rules in nf_tables': expect.stringContaining('neither nft nor iptables'),
  })
})
