/**
 * An edge node of three masters with firewalls: the one active CloudCore follows the virtual address, and the edge node follows it.
 */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { killMachine, startMachine } from '../../src/lab/index.ts'
import { provisionLab } from '../../src/lab/provision.ts'
import { readLab } from '../../src/lab/state.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { installDebian } from './debian-packages.ts'
import { eventually } from './eventually.ts'
import { holders, membersOfEtcd } from './ha-measure.ts'
import { inClusterImage } from './in-cluster/image.ts'
import { reporting, useLab } from './machines.ts'

const VIP = '10.123.0.240'
const MASTERS = ['master-1', 'master-2', 'master-3']
/** Milliseconds. edgecore finds out that a master lost its power after some 20 s, and tries again every 5 to 10 s. */
const RECONNECT = 120_000

const lab = useLab({
  masters: 3,
  edges: 1,
  executable: EXECUTABLE,
  package: PACKAGE,
  prepare: async ({ name }) => {
    for (const machine of ['master-1', 'master-2']) {
      await installDebian(lab, machine, ['ufw'])
      await lab.run(machine, ['ufw', '--force', 'enable'])
    }
    await installDebian(lab, 'master-3', ['firewalld'])
    await lab.run('master-3', ['systemctl', 'enable', '--now', 'firewalld'])
    await provisionLab(await readLab(name), reporting)
  },
})
const kubectl = (machine: string, ...args: string[]) => lab.run(machine, ['kubectl', ...args])

/** Those that are not lost yet. */
let left: readonly string[] = MASTERS

async function holderAmong(machines: readonly string[]): Promise<string> {
  const [machine] = await eventually(
    () => holders(lab, machines, VIP),
    (all) => all.length === 1,
    30_000,
  )
  return machine as string
}

/** Connections of edge nodes to the CloudCore of a machine. */
async function connections(machine: string): Promise<number> {
  const text = await lab.run(machine, ['ss', '-tnH', 'state', 'established', '( sport = :10000 )'])
  return text.split('\n').filter((line) => line !== '').length
}

/** Which of them run CloudCore itself: standing by, there is only the shell. */
async function active(machines: readonly string[]): Promise<string[]> {
  const running = await Promise.all(
    machines.map(async (name) => (await lab.probe(name, ['pgrep', '-x', 'cloudcore'])).exitCode === 0),
  )
  return machines.filter((_, index) => running[index])
}

/** The edge node is connected to the CloudCore of the holder, which is the only one; then its checks pass. */
async function awaitConnected(machines: readonly string[]): Promise<string> {
  const holder = await holderAmong(machines)
  await eventually(
    () => connections(holder),
    (count) => count === 1,
    RECONNECT,
  )
  expect(await active(machines)).toEqual([holder])
  await eventually(
    () => lab.run('edge-1', ['edgeadm', 'check', 'edge']),
    () => true,
    60_000,
  )
  return holder
}

/** From the API server of each master: through the tunnel of the one active CloudCore. */
async function logsFrom(machines: readonly string[], selection: string): Promise<void> {
  for (const machine of machines) {
    const server = `https://10.123.0.${10 + Number(machine.at(-1))}:6443`
    const text = await eventually(
      () => kubectl(machine, '--server', server, 'logs', '-l', selection, '--tail=-1'),
      (log) => log.includes('service default/kubernetes from https://169.254.30.10:10550'),
      60_000,
    )
    expect(text).toContain('pod default/')
  }
}

/** Beyond these a firewall lets nothing in that nobody asked for. */
const OPEN = ['10000/tcp', '10002/tcp', '10004/tcp', '6443/tcp']

test('each master has what edge nodes and other masters need open in its firewall, and the port for API servers for masters alone', async () => {
  for (const machine of ['master-1', 'master-2']) {
    const added = await lab.run(machine, ['ufw', 'show', 'added'])
    for (const port of OPEN) expect(added, machine).toContain(`ufw allow ${port}`)
    const allowed = added.split('\n').filter((line) => /^ufw allow .*10003/.test(line))
    for (const line of allowed) expect(line).toMatch(/ from 10\.123\.0\.1[1-3] /)
  }
  const ports = await lab.run('master-3', ['firewall-cmd', '--permanent', '--list-ports'])
  expect(ports.trim().split(' ')).toEqual(expect.arrayContaining(OPEN))
  expect(ports).not.toContain('10003')
})

test('the secure MetaServer answers, and only the holder of the address runs CloudCore', async () => {
  await awaitConnected(MASTERS)
  const pods = await kubectl(
    'master-1',
    '-n',
    'kubeedge',
    'get',
    'pods',
    '-l',
    'kubeedge=cloudcore',
    '--no-headers',
  )
  expect(pods.match(/ 1\/1 +Running +0 /g)).toHaveLength(3)
})

test('the holder loses its power: the edge node is connected to the next, and a new Pod gets its rights', async () => {
  const lost = await holderAmong(MASTERS)
  const others = MASTERS.filter((name) => name !== lost)
  const began = Date.now()
  await killMachine(lab.name, lost)
  const holder = await awaitConnected(others)
  console.log(
    `power off: connected again and MetaServer checked after ${Math.round((Date.now() - began) / 1000)} s`,
  )
  const ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
  expect(await kubectl(holder, 'get', 'node', 'edge-1', '-o', ready)).toBe('True')

  await lab.run('edge-1', ['ctr', '--namespace=k8s.io', 'images', 'import', '-'], {
    input: await inClusterImage(),
  })
  await lab.run(holder, ['kubectl', 'apply', '-f', '-'], {
    input: readFileSync(new URL('manifests/in-cluster.yaml', import.meta.url), 'utf8'),
  })
  await kubectl(holder, 'rollout', 'status', 'daemonset/in-cluster', '--timeout=120s')
  await logsFrom(others, 'app=in-cluster')

  await startMachine(lab.name, lost, reporting)
  await eventually(
    () =>
      kubectl(
        lost,
        '--server',
        `https://10.123.0.${10 + Number(lost.at(-1))}:6443`,
        'get',
        '--raw',
        '/readyz',
      ),
    (text) => text === 'ok',
    120_000,
  )
  expect(await awaitConnected(MASTERS)).toBe(holder)
})

test('a master that is lost for good is taken out by another: Node, etcd member, backend and peer', async () => {
  const holder = await holderAmong(MASTERS)
  const [other = '', lost = ''] = MASTERS.filter((name) => name !== holder)
  const remove = () => lab.probe(other, ['edgeadm', 'reset', '--remove-node', lost, '--force'])
  const ready = await remove()
  expect(ready.exitCode).toBe(3)
  expect(ready.stderr).toContain(`${lost} is a master, and it is Ready`)

  await killMachine(lab.name, lost)
  const status = ['get', 'node', lost, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']
  await eventually(
    () => kubectl(other, ...status),
    (text) => text === 'Unknown',
    120_000,
  )
  const removed = await remove()
  expect(removed.exitCode, removed.stderr).toBe(0)
  left = MASTERS.filter((name) => name !== lost)
  expect(await membersOfEtcd(lab, other, '/etc/kubernetes/pki/etcd')).toEqual(left)
  for (const machine of left)
    await eventually(
      () => lab.run(machine, ['cat', '/etc/edgeadm/load-balancer/servers.cfg']),
      (text) => !text.includes(lost),
      15_000,
    )
  await awaitConnected(left)
})

test('the holder is reset: the edge node follows', async () => {
  const leaving = await holderAmong(left)
  const others = left.filter((name) => name !== leaving)
  const began = Date.now()
  const result = await lab.probe(leaving, ['edgeadm', 'reset', '--force'])
  expect(result.exitCode, result.stderr).toBe(0)
  await awaitConnected(others)
  console.log(
    `reset of the holder: connected again after ${Math.round((Date.now() - began) / 1000)} s with the reset itself`,
  )
  await logsFrom(others, 'app=in-cluster')
})
