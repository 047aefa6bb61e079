/** Three masters behind a virtual address: bad input, joins, and what a client meets when something fails. */

import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { cutMachine, diffMachine, healMachine, killMachine, startMachine } from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import type { ClientReport } from './ha-client.ts'
import {
  askEtcd,
  holders,
  longestOverlap,
  membersOfEtcd,
  withClient,
  withWatchedAddress,
} from './ha-measure.ts'
import { reporting, useLab } from './machines.ts'

const VIP = '10.123.0.240'
/** Not kubeadm's default: nothing may assume that one. */
const PKI = '/etc/kubernetes/own-pki'
const MASTERS = ['master-1', 'master-2', 'master-3']
const lab = useLab({ masters: 3, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const init = (endpoint: string, ...args: string[]) =>
  lab.probe('master-1', [
    ...['edgeadm', 'init', '--ha=haproxy-keepalived', `--control-plane-endpoint=${endpoint}`],
    ...['--upload-certs', '--enable-edge=false', `--cert-dir=${PKI}`, ...WITH_PACKAGE, ...args],
  ])
/** A login shell's line in the background of a machine, until the machine goes. */
const background = (machine: string, unit: string, script: string) =>
  lab.run(machine, ['systemd-run', '--quiet', `--unit=${unit}`, 'sh', '-c', script])
const kubectl = (machine: string, ...args: string[]) => lab.run(machine, ['kubectl', ...args])

const lists = async (machine: string): Promise<string[]> => {
  const text = await lab.run(machine, ['cat', '/etc/edgeadm/load-balancer/servers.cfg'])
  return [...text.matchAll(/server (\S+) /g)].map(([, name = '']) => name)
}
/** All of the masters up, each with its lists whole, one holder. */
const isWhole = async (machines: readonly string[]): Promise<boolean> => {
  for (const machine of machines) {
    if ((await lists(machine)).join() !== machines.join()) return false
    await lab.run(machine, [
      'kubectl',
      '--server',
      `https://${addressOf(machine)}:6443`,
      'get',
      '--raw',
      '/readyz',
    ])
    await lab.run(machine, ['pgrep', '-x', 'keepalived'])
  }
  return (await holders(lab, machines, VIP)).length === 1
}
const awaitWhole = (machines: readonly string[]) =>
  eventually(
    () => isWhole(machines),
    (whole) => whole,
    120_000,
  )
const addressOf = (machine: string) => `10.123.0.${10 + Number(machine.at(-1))}`
const holder = async (): Promise<string> => {
  const [machine] = await eventually(
    () => holders(lab, MASTERS, VIP),
    (all) => all.length === 1,
    20_000,
  )
  return machine as string
}

function told(what: string, { gaps, answers, acknowledged, lost, watches, broken }: ClientReport): void {
  console.log(
    `${what}: longest gap ${gaps[0] ?? 'below 200'} ms (${answers} answers), ${lost} of ${acknowledged} acknowledged writes lost, ${broken} of ${watches} watches broken`,
  )
}

const members = (machine: string) => membersOfEtcd(lab, machine, `${PKI}/etcd`)
/** The master that was reset, to join again. */
let reset = ''
let joinLine: string[] = []
/** With the line of `token create`: its certificates are new. */
const join = (machine: string, line = joinLine) => lab.probe(machine, [...line, ...WITH_PACKAGE])

test('what cannot work is refused before anything is changed, all at once', async () => {
  await lab.run('master-2', ['ip', 'addr', 'add', '10.123.0.241/32', 'dev', 'host0'])
  await lab.run('master-1', ['cp', '/usr/bin/sleep', '/tmp/haproxy'])
  await background('master-1', 'own-haproxy', 'exec /tmp/haproxy 600')

  const inUse = await init('10.123.0.241:8443')
  expect(inUse.exitCode).toBe(3)
  const mac = /link\/ether (\S+)/.exec(await lab.run('master-2', ['ip', 'link', 'show', 'host0']))?.[1]
  expect(inUse.stderr).toContain(`the virtual address 10.123.0.241 is in use: ${mac} answers for it on host0`)
  expect(inUse.stderr).toMatch(/a haproxy runs \(pid \d+\) on this system, and edgeadm leaves it alone/)

  expect((await init('192.0.2.7:8443', '--interface=host0')).stderr).toContain(
    'the virtual address 192.0.2.7 is not in the network of the interface host0 (10.123.0.11/24)',
  )
  expect((await init(`${VIP}:6443`)).stderr).toContain("port 6443 is the API server's own on every master")
  expect((await init('10.123.0.11:8443')).stderr).toContain(
    "the virtual address 10.123.0.11 is this machine's own already",
  )
  await lab.run('master-1', ['ip', 'link', 'add', 'bare0', 'type', 'bridge'])
  expect((await init(`${VIP}:8443`, '--interface=bare0')).stderr).toContain(
    'the network interface bare0 has no IPv4 address',
  )

  await lab.run('master-2', ['ip', 'addr', 'del', '10.123.0.241/32', 'dev', 'host0'])
  await lab.run('master-1', ['systemctl', 'stop', 'own-haproxy'])
  await lab.run('master-1', ['ip', 'link', 'del', 'bare0'])
  await lab.run('master-1', ['rm', '/tmp/haproxy'])
  const changed = (await diffMachine(lab.name, 'master-1')).filter(
    ({ path }) => !path.startsWith('/var/log/'),
  )
  expect(changed).toEqual([])
})

test('init takes the address, and a router number that nobody else on the network uses', async () => {
  // Version 3, type 1, router 240, priority 100, one address, 0.3 s, no checksum; the address 10.123.0.249.
  const advertisement = String.raw`\061\360\144\001\000\036\000\000\012\173\000\371`
  const send = `socat -u - IP4-SENDTO:224.0.0.18:112,ip-multicast-if=10.123.0.12`
  await background(
    'master-2',
    'other-router',
    `while printf '${advertisement}' | ${send}; do sleep 0.3; done`,
  )
  const { exitCode, stdout, stderr } = await init(`${VIP}:8443`)
  await lab.run('master-2', ['systemctl', 'stop', 'other-router'])
  expect(exitCode, stderr).toBe(0)
  joinLine =
    /edgeadm join .* --control-plane --certificate-key [0-9a-f]{64}/.exec(stdout)?.[0].split(' ') ?? []
  expect(joinLine[2]).toBe(`${VIP}:8443`)
  expect(await holders(lab, MASTERS, VIP)).toEqual(['master-1'])
  const conf = await lab.run('master-1', ['cat', '/etc/edgeadm/load-balancer/keepalived.conf'])
  expect(conf).toMatch(/virtual_router_id 241$/m)
  const listening = await lab.run('master-1', ['ss', '-Hltn', 'sport', '=', ':8404'])
  expect(listening).toContain('127.0.0.1:8404')
  const uid = await lab.run('master-1', ['sh', '-c', 'ps -o uid= -C haproxy | sort -u'])
  expect(uid.trim()).toBe('64112')
})

test('a certificate key that is wrong or too old is refused, with the one command that renews it', async () => {
  const wrong = await join('master-2', [...joinLine.slice(0, -1), '0'.repeat(64)])
  expect(wrong.exitCode).toBe(3)
  expect(wrong.stderr).toContain('the certificate key does not fit the uploaded certificates')
  await kubectl('master-1', '-n', 'kube-system', 'delete', 'secret', 'kubeadm-certs')
  const expired = await join('master-2')
  expect(expired.stderr).toContain('`edgeadm token create --print-join-command --control-plane`')
  expect((await lab.probe('master-2', ['test', '-e', '/var/lib/edgeadm'])).exitCode).toBe(1)

  const line = await lab.run('master-1', [
    'edgeadm',
    'token',
    'create',
    '--print-join-command',
    '--control-plane',
  ])
  joinLine = line.trim().split(' ')
  const second = await join('master-2')
  expect(second.exitCode, second.stderr).toBe(0)
  expect(second.stderr).toContain('the cluster has 2 masters now')
})

test('a master joins while 50 clients hold watches: none breaks, and the lists follow', async () => {
  const report = await withClient(lab, 50, async () => {
    const third = await join('master-3')
    expect(third.exitCode, third.stderr).toBe(0)
    await eventually(
      async () => (await Promise.all(MASTERS.map(lists))).every((list) => list.join() === MASTERS.join()),
      (all) => all,
      15_000,
    )
  })
  told('a master joins', report)
  expect(report.broken).toBe(0)
  expect(report.lost).toBe(0)
  expect(report.acknowledged).toBeGreaterThan(50)
})

test.each(['haproxy', 'keepalived', 'kube-apiserver'])('kill -9 of %s on the holder', async (program) => {
  await awaitWhole(MASTERS)
  const machine = await holder()
  const report = await withClient(lab, 5, async () => {
    await lab.run(machine, ['pkill', '-9', '-x', program])
    await delay(5000)
  })
  told(`kill -9 ${program}`, report)
  expect(report.gaps[0] ?? 0).toBeLessThan(3000)
  expect(report.lost).toBe(0)
})

test('the network of the holder is cut and heals: no two holders for long, no flap, etcd healthy', async () => {
  await awaitWhole(MASTERS)
  const machine = await holder()
  let healed = 0
  const all = await withWatchedAddress(lab, MASTERS, VIP, async () => {
    await cutMachine(
      lab.name,
      machine,
      MASTERS.filter((name) => name !== machine),
    )
    await eventually(
      () => holders(lab, MASTERS, VIP),
      (names) => names.length === 1 && names[0] !== machine,
      15_000,
    )
    await healMachine(lab.name, machine)
    healed = Date.now()
    await awaitWhole(MASTERS)
    await delay(5000)
  })
  console.log(`cut off: two holders for ${longestOverlap(all)} ms`)
  expect(longestOverlap(all)).toBeLessThan(2000)
  expect(all.filter(({ from }) => from > healed)).toEqual([])
  await eventually(
    () => kubectl(machine, 'get', '--raw', '/readyz/etcd'),
    (text) => text === 'ok',
    30_000,
  )
})

test('power off the holder; a second loss is refused; the master that comes back takes nothing', async () => {
  await awaitWhole(MASTERS)
  const machine = await holder()
  const others = MASTERS.filter((name) => name !== machine)
  const report = await withClient(lab, 5, async () => {
    await killMachine(lab.name, machine)
    await delay(5000)
  })
  told('power off', report)
  expect(report.gaps[0]).toBeLessThan(2000)
  expect(report.lost).toBe(0)

  const [other = ''] = others
  // The question is answered on a terminal: with --force nothing would be refused.
  const refused = await lab.probe(other, [
    'sh',
    '-c',
    `printf 'y\\r' | script -qec 'edgeadm reset' /dev/null`,
  ])
  expect(refused.exitCode).toBe(3)
  expect(refused.stdout).toContain(`without ${other} etcd has no quorum`)
  expect(refused.stdout).toContain(`${machine}: `)

  const [now] = await holders(lab, others, VIP)
  await startMachine(lab.name, machine, reporting)
  await awaitWhole(MASTERS)
  expect(await holder()).toBe(now)
})

test('reset of the holder: handed over, forgotten by the others, nothing left', async () => {
  await awaitWhole(MASTERS)
  const machine = await holder()
  const others = MASTERS.filter((name) => name !== machine)
  const report = await withClient(lab, 5, async () => {
    const result = await lab.probe(machine, ['edgeadm', 'reset', '--force'])
    expect(result.exitCode, result.stderr).toBe(0)
    await eventually(() => isWhole(others), Boolean, 15_000)
  })
  told('reset of the holder', report)
  expect(report.gaps[0] ?? 0).toBeLessThan(500)
  expect(report.lost).toBe(0)
  const [other = ''] = others
  expect((await kubectl(other, 'get', 'nodes', '-o', 'name')).trim().split('\n')).toEqual(
    others.map((name) => `node/${name}`),
  )
  expect(await members(other)).toEqual(others)
  reset = machine
})

test('a learner that a dead join left behind is named to the next master, and taken out by its address', async () => {
  const others = MASTERS.filter((name) => name !== reset)
  const [other = ''] = others
  const added = await askEtcd(lab, other, `${PKI}/etcd`, 'add', {
    peerURLs: ['https://10.123.0.99:2380'],
    isLearner: true,
  })
  expect(added).toMatchObject({ member: { isLearner: true } })
  joinLine = (await lab.run(other, ['edgeadm', 'token', 'create', '--print-join-command', '--control-plane']))
    .trim()
    .split(' ')
  const refused = await join(reset)
  expect(refused.exitCode, refused.stderr).toBe(3)
  expect(refused.stderr).toContain('etcd has the member 10.123.0.99 that never finished its join')
  const remove = await lab.probe(other, ['edgeadm', 'reset', '--remove-node', '10.123.0.99', '--force'])
  expect(remove.exitCode, remove.stderr).toBe(0)
  expect(await members(other)).toEqual(others)
  const again = await join(reset)
  expect(again.exitCode, again.stderr).toBe(0)
})

test('a lost master whose Node was deleted first still leaves etcd', async () => {
  await awaitWhole(MASTERS)
  await kubectl('master-1', 'delete', 'node', 'master-3')
  const alive = await lab.probe('master-1', ['edgeadm', 'reset', '--remove-node', 'master-3', '--force'])
  expect(alive.stderr).toContain('the etcd of master-3 runs and takes part in the cluster')
  expect(alive.exitCode).toBe(3)
  await killMachine(lab.name, 'master-3')
  const removed = await lab.probe('master-1', ['edgeadm', 'reset', '--remove-node', 'master-3', '--force'])
  expect(removed.exitCode, removed.stderr).toBe(0)
  expect(await members('master-1')).toEqual(['master-1', 'master-2'])
})

test('one of two masters is reset after its Node was deleted: the other one goes on', async () => {
  await kubectl('master-1', 'delete', 'node', 'master-2')
  const result = await lab.probe('master-2', ['edgeadm', 'reset', '--force'])
  expect(result.exitCode, result.stderr).toBe(0)
  expect((await lab.probe('master-2', ['test', '-e', PKI])).exitCode).toBe(1)
  expect(await members('master-1')).toEqual(['master-1'])
  await eventually(
    () => kubectl('master-1', 'get', '--raw', '/readyz'),
    (text) => text === 'ok',
    30_000,
  )
})
