/** Machines that know only the older of the kernel's two firewalls, as an edge device's kernel may. */

import { basename } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import { machineState } from './machine-state.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const MACHINES = ['master-1', 'worker-1']
let before: string | undefined

/** Without the counters of packets and bytes. */
async function stateOfWorker(): Promise<string> {
  return JSON.stringify(await machineState(lab, 'worker-1'), undefined, 2).replace(/\[\d+:\d+\]/g, '[0:0]')
}

beforeAll(async () => {
  for (const machine of MACHINES)
    for (const program of ['iptables', 'ip6tables']) {
      await lab.run(machine, ['update-alternatives', '--set', program, `/usr/sbin/${program}-legacy`])
      // A look makes these tables, and they stay, empty, until their module is unloaded.
      for (const table of ['filter', 'nat', 'mangle']) await lab.run(machine, [program, '-t', table, '-S'])
    }
  before = await stateOfWorker()
})

test('init and join set up a cluster whose Pods all run', async () => {
  const printed = await lab.run('master-1', ['edgeadm', 'init', ...WITH_PACKAGE])
  const line = /edgeadm (join \S+ --token \S+ --discovery-token-ca-cert-hash \S+)/.exec(printed)?.[1] ?? ''
  await lab.run('worker-1', ['edgeadm', ...line.split(' '), '--enable-edge=false', ...WITH_PACKAGE])
  await eventually(
    () => lab.run('master-1', ['kubectl', 'get', 'pods', '-A', '--no-headers']),
    (text) => text.split('\n').every((pod) => pod === '' || /(\d+)\/\1 +Running/.test(pod)),
    120_000,
  )
})

test('all of its rules are in the one firewall, and Services answer', async () => {
  for (const machine of MACHINES) {
    const rules = await lab.run(machine, ['iptables-legacy-save'])
    for (const chain of [':KUBE-SERVICES', ':FLANNEL-FWD']) expect(rules).toContain(chain)
    expect(await lab.run(machine, ['nft', 'list', 'ruleset'])).not.toMatch(/KUBE-|FLANNEL-|EDGEADM-/)
    const asked = ['curl', '-sk', '--max-time', '5', 'https://10.96.0.1/version']
    await eventually(
      () => lab.probe(machine, asked),
      ({ stdout }) => stdout.includes('gitVersion'),
      60_000,
    )
  }
  expect(await lab.run('master-1', ['iptables-legacy-save'])).toContain(':EDGEADM-TUNNEL')
})

test('reset leaves none of them', async () => {
  await lab.run('worker-1', ['edgeadm', 'reset', '--force'])
  expect(await stateOfWorker()).toEqual(before)
})
