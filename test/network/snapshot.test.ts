import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { MachineHost } from '../../src/host/machine-host.ts'
import { snapshotNetwork } from '../../src/network/snapshot.ts'
import { render } from '../../src/templates.ts'
import { NamespacedMachine } from './namespaced-machine.ts'

let machine: NamespacedMachine
let host: Host
let directory: string

beforeEach(async () => {
  machine = await NamespacedMachine.make()
  host = new MachineHost(machine, {
    announce: async () => {},
    keep: async () => '',
    hasRecord: async () => false,
  })
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-test-'))
})
afterEach(async () => {
  await machine.end()
  await rm(directory, { recursive: true })
})

const sh = async (script: string): Promise<string> =>
  (await host.run('sh', ['-ec', script], { title: script, undo: null })).stdout

/** Rules without counters and times, addresses and routes. */
const state = async (): Promise<string> =>
  (await sh('nft list table inet mine; iptables-nft-save; ip -4 address show; ip route show')).replace(
    /^# (Generated|Completed).*$|^:.*$|valid_lft.*$/gm,
    '',
  )

test('rules, address and routes of before are back after the script, whatever was done meanwhile', async () => {
  await sh(`ip link set lo up; ip link add eth7 type bridge; ip address add 192.0.2.1/24 dev eth7; ip link set eth7 up
    ip route add default via 192.0.2.254
    iptables-nft -P INPUT DROP; iptables-nft -A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT
    nft 'table inet mine { set ports { type inet_service; elements = { 22 }; }
      chain input { type filter hook input priority 0; policy drop; tcp dport @ports accept; }; }'`)
  const before = await state()
  const { files, restore } = await snapshotNetwork(host, '192.0.2.1')
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  await writeFile(join(directory, 'rollback'), render('reset/rollback', { commands: restore }))
  await sh(`iptables-nft -F INPUT; nft flush chain inet mine input; nft add rule inet mine input drop
    ip route del default; ip -4 address flush dev eth7`)
  expect(await state()).not.toBe(before)
  await sh(`sh ${directory}/rollback now`)
  expect(await state()).toBe(before)
})

test('the script waits for its deadline', async () => {
  await writeFile(join(directory, 'deadline'), '0\n')
  await writeFile(join(directory, 'rollback'), render('reset/rollback', { commands: ['echo put back'] }))
  expect(spawnSync('sh', [join(directory, 'rollback')], { encoding: 'utf8' }).stdout).toBe('put back\n')
})
