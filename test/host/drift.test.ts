import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findDrift } from '../../src/host/drift.ts'
import { Ledger } from '../../src/host/ledger.ts'
import { recordedHost } from '../../src/host/recorded.ts'
import { MemoryMachine } from './memory-machine.ts'

test('drift is what differs from what edgeadm wrote, with its owner, and nothing else', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'edgeadm-drift-'))
  try {
    const machine = new MemoryMachine((line) =>
      line === 'dpkg-query --search /etc/hosts' ? { stdout: 'netbase: /etc/hosts' } : { exitCode: 1 },
    )
    const ledger = new Ledger(directory)
    const host = recordedHost(machine, ledger, 'test', () => {})
    await machine.put('/etc/hosts', 'before')
    await machine.put('/proc/sys/net/ipv4/ip_forward', '0\n')
    await host.writeFile('/etc/hosts', 'ours')
    await host.writeFile('/etc/same', 'same')
    await host.writeFile('/etc/gone', 'gone')
    await host.writeFile('/etc/passing', 'x')
    await host.remove('/etc/passing')
    await host.link('/etc/link', 'same')
    await host.writeFile('/etc/secret', 'one', { secret: true })
    await ledger.record('test', { kind: 'sysctl', key: 'net.ipv4.ip_forward', before: '0' }, '1')
    await machine.put('/proc/sys/net/ipv4/ip_forward', '1\n')
    expect(await findDrift(machine, new Ledger(directory))).toEqual([])
    await machine.put('/etc/hosts', 'theirs')
    await machine.remove('/etc/gone')
    await machine.put('/etc/secret', 'two')
    await machine.put('/proc/sys/net/ipv4/ip_forward', '0\n')
    expect(await findDrift(machine, new Ledger(directory))).toEqual([
      { what: '/etc/hosts', why: 'its contents are not what edgeadm wrote', owner: 'package netbase' },
      { what: '/etc/gone', why: 'it is gone' },
      { what: '/etc/secret', why: 'its contents are not what edgeadm wrote' },
      { what: 'sysctl net.ipv4.ip_forward', why: 'it is 0, and edgeadm had set it to 1' },
    ])
  } finally {
    await rm(directory, { recursive: true })
  }
})
