import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Ledger } from '../../../src/host/ledger.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import { saveBaseline } from '../../../src/network/baseline.ts'
import type { ResetContext } from '../../../src/phases/reset/context.ts'
import { modules } from '../../../src/phases/reset/modules.ts'
import { MemoryMachine } from '../../host/memory-machine.ts'

const NAMESPACES = `lrwxrwxrwx 1 root root 0 Nov 21 10:00 /proc/1/ns/net -> net:[1]
lrwxrwxrwx 1 root root 0 Nov 21 10:00 /proc/7/ns/net -> net:[2]
lrwxrwxrwx 1 root root 0 Nov 21 10:00 /proc/8/ns/net -> net:[2]`
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-modules-'))
})
afterEach(async () => rm(directory, { recursive: true }))

/** Kernel modules as rmmod sees them: what others need stays. */
function kernel(needs: Readonly<Record<string, readonly string[]>>) {
  const loaded = new Map(Object.entries(needs))
  const text = (): string =>
    [...loaded.keys()]
      .map(
        (name) => `${name} 1 ${[...loaded.values()].filter((all) => all.includes(name)).length} - Live 0x0`,
      )
      .join('\n')
  return { loaded, text }
}

async function reset({
  needs,
  before,
  links = [],
  inContainer = [],
  recorded = [],
}: {
  needs: Readonly<Record<string, readonly string[]>>
  before: readonly string[]
  links?: readonly unknown[]
  inContainer?: readonly unknown[]
  recorded?: readonly string[]
}): Promise<{ loaded: string[]; said: string[]; left: number }> {
  const { loaded, text } = kernel(needs)
  const machine = new MemoryMachine((line) => {
    if (line.startsWith('ip -details')) return { stdout: JSON.stringify(links) }
    if (line.startsWith('readlink')) return { stdout: 'net:[1]' }
    if (line.startsWith('sh -c ls')) return { stdout: NAMESPACES }
    if (line.startsWith('nsenter --net=/proc/7/ns/net ip')) return { stdout: JSON.stringify(inContainer) }
    const [, name = ''] = /^rmmod (.+)/.exec(line) ?? []
    if (loaded.delete(name)) void machine.put('/proc/modules', text())
    return { stdout: '' }
  })
  const ledger = new Ledger(directory)
  const host = recordedHost(machine, ledger, 'test', () => {})
  for (const name of recorded) await host.module(name)
  await machine.put('/proc/modules', text())
  await saveBaseline({ links: [], namespaces: [], rules: {}, modules: before }, directory)
  const said: string[] = []
  const emit = (event: { type: string; text?: string }): unknown =>
    event.type === 'warning' && said.push(event.text ?? '')
  await modules.run({ host, ledger, machine, emit, settings: {} } as unknown as ResetContext)
  return { loaded: [...loaded.keys()], said, left: (await ledger.entries()).length }
}

test('what was loaded for Kubernetes goes, those that others need after these; drivers and what was there stay', async () => {
  const needs = {
    xt_conntrack: ['nf_conntrack', 'x_tables'],
    nf_conntrack: ['nf_defrag_ipv4'],
    nf_defrag_ipv4: [],
    x_tables: [],
    br_netfilter: ['bridge'],
    bridge: ['stp'],
    stp: [],
    e1000: [],
    nf_log_syslog: [],
  }
  const result = await reset({
    needs,
    before: ['nf_log_syslog'],
    recorded: ['stp', 'bridge', 'br_netfilter'],
  })
  expect(result).toEqual({ loaded: ['e1000', 'nf_log_syslog'], said: [], left: 0 })
})

test("a bridge of somebody's keeps the modules under it", async () => {
  const needs = { br_netfilter: ['bridge'], bridge: ['stp'], stp: [], veth: [] }
  const links = [{ ifname: 'docker0', linkinfo: { info_kind: 'bridge' } }]
  const { loaded, said, left } = await reset({
    needs,
    before: [],
    links,
    recorded: ['bridge', 'br_netfilter'],
  })
  expect(loaded).toEqual(['br_netfilter', 'bridge', 'stp'])
  expect(said).toEqual([
    'the kernel module br_netfilter stays loaded: the interface docker0 needs it',
    'the kernel module bridge stays loaded: it is in use',
    'the kernel module stp stays loaded: it is in use',
  ])
  expect(left).toBe(0)
})

test("so does one inside somebody's container", async () => {
  const inContainer = [{ ifname: 'br7', linkinfo: { info_kind: 'bridge' } }]
  const { loaded, said } = await reset({ needs: { bridge: [] }, before: [], inContainer })
  expect(loaded).toEqual(['bridge'])
  expect(said).toEqual(['the kernel module bridge stays loaded: the interface br7 needs it'])
})
