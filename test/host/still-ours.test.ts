import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { Host } from '../../src/host/host.ts'
import { Ledger } from '../../src/host/ledger.ts'
import { recordedHost } from '../../src/host/recorded.ts'
import { type Residue, undoAll } from '../../src/host/undo.ts'
import { MemoryMachine } from './memory-machine.ts'

let directory: string
let ledger: Ledger

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-ours-'))
  ledger = new Ledger(directory)
})
afterEach(async () => rm(directory, { recursive: true }))

const hostOf = (machine: MemoryMachine): Host => recordedHost(machine, ledger, 'test', () => {})
const undo = (machine: MemoryMachine): Promise<Residue[]> =>
  undoAll(machine, new Ledger(directory), { signal: new AbortController().signal, onEntry: () => {} })

describe('a file that edgeadm made', () => {
  test('stays with its directory where somebody changed it, is named, and is theirs from then on', async () => {
    const machine = new MemoryMachine()
    await hostOf(machine).writeFile('/etc/containerd/config.toml', 'version = 2\n')
    await hostOf(machine).writeFile('/etc/containerd/other.toml', 'x')
    await machine.put('/etc/containerd/config.toml', 'version = 2\n# proxy\n')
    expect(await undo(machine)).toEqual([
      {
        what: '/etc/containerd/config.toml',
        why: 'it stays, since its contents are not what edgeadm wrote',
        theirs: true,
      },
    ])
    expect(await machine.tree()).toMatchObject({ '/etc/containerd/config.toml': 'version = 2\n# proxy\n' })
    expect(Object.keys(await machine.tree())).not.toContain('/etc/containerd/other.toml')
    expect(await new Ledger(directory).entries()).toEqual([])
    expect(await undo(machine)).toEqual([])
  })

  test('goes when edgeadm wrote it several times, with a secret in it or not', async () => {
    const machine = new MemoryMachine()
    for (const text of ['one', 'two', 'three']) {
      await hostOf(machine).writeFile('/etc/plain', text)
      await hostOf(machine).writeFile('/etc/secret', text, { secret: true })
    }
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual({})
  })

  test('goes with the directory that is claimed as a whole, whatever programs made of it', async () => {
    const machine = new MemoryMachine()
    const host = hostOf(machine)
    await host.claim('/etc/edgeadm/load-balancer')
    await host.writeFile('/etc/edgeadm/load-balancer/servers.cfg', 'one')
    await machine.put('/etc/edgeadm/load-balancer/servers.cfg', 'one two')
    expect(await undo(machine)).toEqual([])
    expect(await machine.stat('/etc/edgeadm/load-balancer')).toBeUndefined()
  })

  test('a program that was upgraded stays', async () => {
    const machine = new MemoryMachine()
    await machine.put('/package/kubectl', 'v1')
    await hostOf(machine).installFile('/package/kubectl', '/usr/local/bin/kubectl', { mode: 0o755 })
    await machine.put('/usr/local/bin/kubectl', 'v1.2', 0o755)
    expect(await undo(machine)).toMatchObject([{ what: '/usr/local/bin/kubectl', theirs: true }])
    expect((await machine.readFile('/usr/local/bin/kubectl'))?.toString()).toBe('v1.2')
  })
})

describe("root's kubeconfig", () => {
  const part = (name: string) => ({
    clusters: [{ name, cluster: { server: `https://${name}:6443` } }],
    contexts: [{ name: `admin@${name}`, context: { cluster: name, user: `admin-${name}` } }],
    users: [{ name: `admin-${name}`, user: {} }],
  })
  const own = { apiVersion: 'v1', kind: 'Config', 'current-context': 'admin@ours', ...part('ours') }
  const write = async (machine: MemoryMachine): Promise<unknown> =>
    hostOf(machine).writeFile('/root/.kube/config', stringify(own), {
      mode: 0o600,
      secret: true,
      format: 'kubeconfig',
    })

  test('goes where it holds only what edgeadm wrote, in whatever form', async () => {
    const machine = new MemoryMachine()
    await write(machine)
    await machine.put('/root/.kube/config', JSON.stringify({ ...own, preferences: {} }))
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual({})
  })

  test("keeps others' clusters, contexts and users, and loses edgeadm's own", async () => {
    const machine = new MemoryMachine()
    await write(machine)
    const prod = part('prod')
    const both = {
      ...own,
      clusters: [...own.clusters, ...prod.clusters],
      contexts: [...own.contexts, ...prod.contexts],
      users: [...own.users, ...prod.users],
    }
    await machine.put('/root/.kube/config', stringify(both))
    expect(await undo(machine)).toMatchObject([{ what: '/root/.kube/config', theirs: true }])
    expect(parse((await machine.readFile('/root/.kube/config'))?.toString() ?? '')).toEqual({
      ...own,
      ...prod,
      'current-context': 'admin@prod',
    })
  })
})

describe('a kernel parameter', () => {
  const KEY = 'net.ipv4.ip_forward'
  const setTo1 = async (): Promise<MemoryMachine> => {
    const machine = new MemoryMachine()
    await machine.put('/proc/sys/net/ipv4/ip_forward', '0\n')
    await machine.put('/proc/sys/net/ipv4/conf/eth0/forwarding', '0\n')
    const host = hostOf(machine)
    await host.claimSysctl('net/ipv4/conf/eth0/forwarding')
    await host.sysctl(KEY, '1')
    await machine.put('/proc/sys/net/ipv4/conf/eth0/forwarding', '1\n')
    return machine
  }

  test('that somebody set to another value stays', async () => {
    const machine = await setTo1()
    await machine.put('/proc/sys/net/ipv4/ip_forward', '2\n')
    expect(await undo(machine)).toMatchObject([
      { what: `sysctl ${KEY}`, why: expect.stringContaining('it is 2 now, and edgeadm had set it to 1') },
      { what: 'sysctl net/ipv4/conf/eth0/forwarding' },
    ])
    expect((await machine.readFile('/proc/sys/net/ipv4/ip_forward'))?.toString()).toBe('2\n')
  })

  test('that a file of somebody else wants stays, with the devices that follow it', async () => {
    const machine = await setTo1()
    await machine.put('/etc/sysctl.d/90-docker.conf', '# containers\nnet/ipv4/ip_forward = 1\n')
    expect(await undo(machine)).toMatchObject([
      { what: `sysctl ${KEY}`, why: expect.stringContaining('/etc/sysctl.d/90-docker.conf wants it') },
      { what: 'sysctl net/ipv4/conf/eth0/forwarding' },
    ])
    expect((await machine.readFile('/proc/sys/net/ipv4/conf/eth0/forwarding'))?.toString()).toBe('1\n')
  })

  test('is put back otherwise', async () => {
    const machine = await setTo1()
    expect(await undo(machine)).toEqual([])
    expect((await machine.readFile('/proc/sys/net/ipv4/ip_forward'))?.toString()).toBe('0\n')
  })
})

describe('units', () => {
  const machineWith = (active: () => boolean): MemoryMachine =>
    new MemoryMachine((line) => {
      if (line.includes(' is-active ')) return { stdout: active() ? 'active' : 'inactive' }
      if (line.includes(' is-enabled ')) return { stdout: 'static' }
      return line.includes(' is-failed ') ? { exitCode: 1 } : undefined
    })

  test.each([true, false])(
    'a target is neither stopped nor restarted (active before: %s)',
    async (before) => {
      let isActive = before
      const machine = machineWith(() => isActive)
      await hostOf(machine).claimService('network-online.target')
      isActive = true
      machine.performed.length = 0
      expect(await undo(machine)).toEqual([])
      expect(machine.performed).toEqual(['systemctl daemon-reload'])
      expect(await new Ledger(directory).entries()).toEqual([])
    },
  )

  test('a unit that only was on record runs on; one that edgeadm restarted is restarted', async () => {
    const machine = machineWith(() => true)
    await hostOf(machine).claimService('theirs.service')
    await hostOf(machine).service('containerd.service', { active: true, restart: true })
    machine.performed.length = 0
    expect(await undo(machine)).toEqual([])
    expect(machine.performed).toEqual(['systemctl daemon-reload', 'systemctl restart containerd.service'])
  })
})

test('what a directory held that kubeadm empties comes back, where it is claimed as such', async () => {
  const machine = new MemoryMachine()
  await machine.put('/var/lib/kubelet/config.json', '{"auths":{}}', 0o600)
  const before = await machine.tree()
  await hostOf(machine).claim('/var/lib/kubelet', { emptied: true })
  await machine.remove('/var/lib/kubelet/config.json')
  await machine.put('/var/lib/kubelet/pki/kubelet.crt', 'new')
  expect(await undo(machine)).toEqual([])
  expect(await machine.tree()).toEqual(before)
  expect((await machine.stat('/var/lib/kubelet/config.json'))?.mode).toBe(0o600)
})

test('data behind a link is claimed where it lies: what came there goes, what was there and the link stay', async () => {
  const machine = new MemoryMachine()
  await machine.put('/data/containerd/theirs/x', '1')
  await machine.put('/var/lib/other', '1')
  await machine.symlink('/var/lib/containerd', '../../data/containerd')
  const before = await machine.tree()
  await hostOf(machine).claim('/var/lib/containerd')
  await hostOf(machine).claim('/var/lib/containerd')
  await machine.put('/data/containerd/io.containerd.content/blob', '2')
  expect(await undo(machine)).toEqual([])
  expect(await machine.tree()).toEqual(before)
})
