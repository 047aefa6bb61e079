import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { Ledger } from '../../src/host/ledger.ts'
import { recordedHost } from '../../src/host/recorded.ts'
import { undoAll } from '../../src/host/undo.ts'
import { MemoryMachine } from './memory-machine.ts'

let directory: string
let ledger: Ledger

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-undo-'))
  ledger = new Ledger(directory)
})
afterEach(async () => rm(directory, { recursive: true }))

const hostOf = (machine: MemoryMachine): Host => recordedHost(machine, ledger, 'test', () => {})
const undo = (machine: MemoryMachine, onEntry: (path: unknown) => void = () => {}) =>
  undoAll(machine, new Ledger(directory), { signal: new AbortController().signal, onEntry })

describe('files', () => {
  test('are removed, restored with their mode, and linked again', async () => {
    const machine = new MemoryMachine()
    await machine.put('/etc/hosts', '127.0.0.1 localhost\n', 0o600)
    await machine.symlink('/etc/resolv.conf', '../run/resolv.conf')
    const before = await machine.tree()
    const host = hostOf(machine)
    await host.writeFile('/etc/hosts', 'first', { mode: 0o644 })
    await host.writeFile('/etc/hosts', 'second')
    await host.writeFile('/etc/resolv.conf', 'nameserver ::1')
    await host.writeFile('/etc/new/deep/file', 'x')
    await host.link('/etc/new/link', 'deep/file')
    expect(await machine.tree()).not.toEqual(before)
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual(before)
    expect((await machine.stat('/etc/hosts'))?.mode).toBe(0o600)
  })

  test('and directories that were removed come back', async () => {
    const machine = new MemoryMachine()
    await machine.put('/etc/old/a/b', 'b')
    await machine.put('/etc/old/c', 'c')
    const before = await machine.tree()
    await hostOf(machine).remove('/etc/old', { recursive: true })
    expect(await machine.stat('/etc/old')).toBeUndefined()
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual(before)
  })

  test('go with what a killed run left of writing them', async () => {
    const machine = new MemoryMachine()
    await hostOf(machine).writeFile('/etc/x.d/a.conf', 'a')
    await machine.put('/etc/x.d/.a.conf.edgeadm-123', 'hal')
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual({})
  })

  test('of others in a directory of edgeadm stay, and it is named', async () => {
    const machine = new MemoryMachine()
    await hostOf(machine).writeFile('/opt/edge/own', 'x')
    await machine.put('/opt/edge/theirs', 'y')
    expect(await undo(machine)).toEqual([
      { what: '/opt/edge', why: 'not empty: theirs' },
      { what: '/opt', why: 'not empty: edge' },
    ])
    expect(await machine.tree('/opt')).toEqual({ '/opt/edge/': '', '/opt/edge/theirs': 'y' })
  })
})

describe('files that others changed since', () => {
  const HOSTS = '127.0.0.1 localhost\n10.0.0.2 two\n'
  const wait = async (change: (text: string) => string): Promise<MemoryMachine> => {
    const machine = new MemoryMachine()
    await machine.put('/etc/hosts', HOSTS)
    await hostOf(machine).writeFile('/etc/hosts', `${HOSTS}10.0.0.1 one # first try\n`)
    await hostOf(machine).writeFile('/etc/hosts', `${HOSTS}10.0.0.1 one # edgeadm\n`)
    await machine.put('/etc/hosts', change((await machine.readFile('/etc/hosts'))?.toString() ?? ''))
    return machine
  }

  test.each([
    ['after it', (text: string) => `${text}10.0.0.3 three\n`, `${HOSTS}10.0.0.3 three\n`],
    ['before it', (text: string) => `10.0.0.3 three\n${text}`, `10.0.0.3 three\n${HOSTS}`],
    ['next to it', (text: string) => text.replace('two', 'too'), HOSTS.replace('two', 'too')],
    ['and took it out', () => `${HOSTS}10.0.0.3 three\n`, undefined],
    ['in it', (text: string) => text.replace('one', 'uno'), undefined],
  ])('keep what came %s', async (_, change, expected) => {
    const machine = await wait(change)
    const residue = await undo(machine)
    const text = (await machine.readFile('/etc/hosts'))?.toString()
    if (expected !== undefined) {
      expect(residue).toEqual([])
      expect(text).toBe(expected)
    } else {
      expect(residue).toMatchObject([
        { what: '/etc/hosts', why: expect.stringContaining('was changed since') },
      ])
      expect(text).toBe(change(`${HOSTS}10.0.0.1 one # edgeadm\n`))
    }
  })
})

describe('claims', () => {
  test('take away what came later, at once or over a directory of edgeadm', async () => {
    const machine = new MemoryMachine()
    const host = hostOf(machine)
    await host.claim('/etc/cni/net.d')
    await host.writeFile('/etc/cni/net.d/10-flannel.conflist', '{}')
    await machine.put('/etc/cni/net.d/.lock', '')
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual({})
  })

  test('of a directory that was there leave what was in it', async () => {
    const machine = new MemoryMachine()
    await machine.put('/var/lib/cni/networks/mine', '1')
    const before = await machine.tree()
    await hostOf(machine).claim('/var/lib/cni')
    await machine.put('/var/lib/cni/results/x', '2')
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual(before)
  })

  test('below /etc bring back what was emptied there, at every level', async () => {
    const machine = new MemoryMachine()
    await machine.put('/etc/kubernetes/pki/ca.crt', 'CA of the user', 0o640)
    await machine.put('/etc/kubernetes/pki/etcd/ca.crt', 'CA for etcd')
    await machine.put('/etc/kubernetes/policy.yaml', 'rules')
    const before = await machine.tree()
    await hostOf(machine).claim('/etc/kubernetes')
    await machine.perform('rm', ['-rf', '/etc/kubernetes/pki/etcd'])
    await machine.remove('/etc/kubernetes/pki/ca.crt')
    await machine.put('/etc/kubernetes/pki/apiserver.crt', 'new')
    await machine.put('/etc/kubernetes/manifests/etcd.yaml', 'new')
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree()).toEqual(before)
    expect((await machine.stat('/etc/kubernetes/pki/ca.crt'))?.mode).toBe(0o640)
  })
})

describe('kernel parameters', () => {
  test('get their oldest value, and none that the kernel lost', async () => {
    const machine = new MemoryMachine()
    await machine.put('/proc/sys/net/ipv4/ip_forward', '0\n')
    await machine.put('/proc/sys/kernel/panic', '0\n')
    await machine.put('/proc/sys/net/ipv4/conf/eth0.5/forwarding', '1\n')
    const host = hostOf(machine)
    await host.claimSysctl('kernel/panic')
    await host.claimSysctl('net/ipv4/conf/eth0.5/forwarding')
    await host.claimSysctl('net/no/such')
    await host.sysctl('net.ipv4.ip_forward', '1')
    await machine.put('/proc/sys/kernel/panic', '10\n')
    await machine.remove('/proc/sys/net/ipv4/conf/eth0.5/forwarding')
    expect(await undo(machine)).toEqual([])
    expect(await machine.tree('/proc/sys')).toMatchObject({
      '/proc/sys/net/ipv4/ip_forward': '0\n',
      '/proc/sys/kernel/panic': '0\n',
    })
  })
})

describe('units', () => {
  test('of others are restarted once their files are back', async () => {
    const running = new Set(['agent.service'])
    const machine = new MemoryMachine((line) => {
      const [, verb, unit = ''] = line.split(' ')
      if (verb === 'is-active') return { stdout: running.has(unit) ? 'active' : 'inactive' }
      if (verb === 'is-enabled') return { stdout: 'disabled' }
      if (verb === 'is-failed') return { exitCode: 1 }
      return undefined
    })
    await machine.put('/etc/systemd/system/agent.service', 'theirs')
    const host = hostOf(machine)
    await host.writeFile('/etc/systemd/system/agent.service', 'ours')
    await host.service('agent.service', { active: true, restart: true })
    machine.performed.length = 0
    expect(await undo(machine)).toEqual([])
    expect(machine.performed).toEqual(['systemctl daemon-reload', 'systemctl restart agent.service'])
    expect(await machine.tree('/etc/systemd/system')).toEqual({
      '/etc/systemd/system/agent.service': 'theirs',
    })
  })

  test('that edgeadm started are stopped and disabled before their files go', async () => {
    const state = { active: false, enabled: false }
    const machine = new MemoryMachine((line) => {
      const verb = line.split(' ')[1]
      if (verb === 'is-active') return { stdout: state.active ? 'active' : 'inactive' }
      if (verb === 'is-enabled') return { stdout: state.enabled ? 'enabled' : 'disabled' }
      if (verb === 'is-failed') return { exitCode: 1 }
      if (verb === 'start' || verb === 'stop') state.active = verb === 'start'
      if (verb === 'enable' || verb === 'disable') state.enabled = verb === 'enable'
      return undefined
    })
    const host = hostOf(machine)
    await host.writeFile('/etc/x.service', 'unit')
    await host.service('x.service', { active: true, enabled: true })
    // A later run that restarts it must not make reset take it for a unit that ran before edgeadm.
    const later = recordedHost(machine, new Ledger(directory), 'later', () => {})
    expect(await later.service('x.service', { active: true, restart: true })).toBe(true)
    machine.performed.length = 0
    expect(await undo(machine)).toEqual([])
    expect(machine.performed).toEqual([
      'systemctl stop x.service',
      'systemctl disable x.service',
      'systemctl daemon-reload',
    ])
    expect(await new Ledger(directory).entries()).toEqual([])
  })
})

describe('an interrupted reset', () => {
  test('goes on behind what was taken back', async () => {
    const machine = new MemoryMachine()
    const host = hostOf(machine)
    for (const name of ['a', 'b', 'c']) await host.writeFile(`/etc/${name}`, name)
    const stop = new AbortController()
    let seen = 0
    const interrupted = undoAll(machine, new Ledger(directory), {
      signal: stop.signal,
      onEntry: () => {
        seen += 1
        if (seen === 2) stop.abort(new Error('Ctrl-C'))
      },
    })
    await expect(interrupted).rejects.toThrow('Ctrl-C')
    const again: unknown[] = []
    expect(await undo(machine, (entry) => again.push(entry))).toEqual([])
    expect(await machine.tree()).toEqual({})
    expect(again.length).toBeLessThan(4)
  })

  test('tries again what failed, and names it', async () => {
    let isBusy = true
    const machine = new MemoryMachine((line) => {
      if (line.startsWith('mountpoint')) return { exitCode: machine.performed.length > 0 ? 0 : 1 }
      return line.startsWith('umount') && isBusy
        ? { exitCode: 32, stderr: 'umount: /mnt: target is busy.' }
        : undefined
    })
    await hostOf(machine).mount({ source: '/dev/x', target: '/mnt' })
    expect(await undo(machine)).toEqual([{ what: 'mount /mnt', why: 'umount: /mnt: target is busy.' }])
    isBusy = false
    expect(await undo(machine)).toEqual([])
    expect(await new Ledger(directory).entries()).toEqual([])
  })
})
