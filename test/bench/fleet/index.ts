/**
 * `npm run bench:fleet`: the controller with many hosts. The hosts are sshds on this host, and a script stands for edgeadm on
 * them: this measures the controller, and how it spreads files. Prints Markdown for docs/performance.md; exits with 1 if a
 * host's outcome is another than it has to be.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LightFleet, LightMachine } from '../../fleet/light-machine.ts'
import { ansibleVersion, prepareWithAnsible } from './ansible.ts'
import { applyWith, type BenchHost, EXECUTABLE, startAll, withFleet, writeInventory } from './fleet.ts'
import { Line } from './line.ts'
import { makePackage } from './package.ts'
import { TROUBLES } from './troubled.ts'

const COUNT = { hosts: Number(process.env.BENCH_HOSTS ?? 200), site: Number(process.env.BENCH_SITE ?? 50) }
const GOAL = { memory: 250, packages: 1.2, ratio: 0.2 }
const rows: string[] = []
const work = mkdtempSync(join(tmpdir(), 'edgeadm-bench-fleet-'))

function row(what: string, value: string, goal: string): void {
  rows.push(`| ${what} | ${value} | ${goal} |`)
  console.error(rows.at(-1))
}

const roleOf = (index: number): BenchHost['role'] =>
  index === 0 ? 'master' : index % 2 === 0 ? 'worker' : 'edge'
const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `h${index + 1}`)

/** 200 hosts in four sites, a fifth of them behind a jump host; on the last ones something is wrong. */
async function manyHosts(): Promise<void> {
  const package_ = makePackage(work, 1)
  await withFleet(async (fleet) => {
    const troubles = Object.entries(TROUBLES)
    const good = named(COUNT.hosts - troubles.length)
    const names = [...good, ...troubles.map(([name]) => name)]
    console.error(`booting ${names.length} hosts`)
    const machines = await startAll(
      fleet,
      [...names, 'jump'],
      (name) => TROUBLES[name]?.machine?.(fleet) ?? {},
    )
    const jump = machines.get('jump') as LightMachine
    const lines: Line[] = []
    const hosts: BenchHost[] = []
    for (const [index, name] of names.entries()) {
      const machine = machines.get(name) as LightMachine
      const trouble = TROUBLES[name]
      trouble?.boot?.(machine)
      const line = trouble?.line && (await Line.open(machine, trouble.line))
      if (line !== undefined) lines.push(line)
      const behind = index > 0 && index <= COUNT.hosts / 5
      const jumpText = `jump: "root@${jump.address}:${jump.port}"`
      const ssh = behind ? jumpText : trouble?.ssh?.(fleet)
      hosts.push({
        name,
        role: roleOf(index),
        address: machine.address,
        port: line?.port ?? machine.port,
        site: `site-${index % 4}`,
        ...(ssh === undefined ? {} : { ssh }),
      })
    }
    const file = writeInventory(fleet, hosts, package_.path)
    const known = join(fleet.directory, 'known_hosts')
    const text = `${readFileSync(known, 'utf8')}[${jump.address}]:${jump.port} ${fleet.hostKey}\n`
    writeFileSync(known, text)
    writeFileSync(join(fleet.directory, 'revoked'), `${text}@revoked * ${fleet.hostKey}\n`)
    const first = await applyWith(fleet, file)
    let wrong = 0
    for (const { name } of hosts) {
      const { state = 'done', says = /^/ } = TROUBLES[name] ?? {}
      const found = first.outcomes.get(name)
      const isRight = found?.state === state && says.test(found.text)
      if (TROUBLES[name] !== undefined || !isRight)
        console.error(`${isRight ? 'as it has to be' : 'WRONG'}: ${name}: ${found?.state}: ${found?.text}`)
      if (!isRight) wrong += 1
    }
    if (wrong > 0) process.exitCode = 1
    row(
      `${hosts.length} hosts, ${troubles.length} of them with something wrong: apply`,
      `${first.seconds.toFixed(0)} s`,
      'ends',
    )
    row(`outcomes that are as they have to be`, `${hosts.length - wrong} of ${hosts.length}`, 'all')
    row('peak memory of the controller', `${first.memory.toFixed(0)} MiB`, `<= ${GOAL.memory} MiB`)
    const second = await applyWith(fleet, file)
    row('the same again', `${second.seconds.toFixed(0)} s, ${second.memory.toFixed(0)} MiB`, '')
    for (const line of lines) line.close()
  })
}

/** What leaves the controller for a site of 50. */
async function uplink(): Promise<void> {
  const package_ = makePackage(work, 32)
  await withFleet(async (fleet) => {
    const machines = [...(await startAll(fleet, named(COUNT.site))).values()]
    const lines = await Promise.all(machines.map((machine) => Line.open(machine)))
    const hosts = machines.map(({ name, address }, index) => ({
      name,
      role: roleOf(index),
      address,
      port: lines[index]?.port as number,
      site: 'shop',
    }))
    const applied = await applyWith(fleet, writeInventory(fleet, hosts, package_.path))
    expectDone(applied.outcomes)
    const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0)
    const sent = sum((line) => line.sent)
    row(
      `${hosts.length} hosts of one site: bytes that left the controller`,
      `${(sent / package_.size).toFixed(2)} packages of ${(package_.size / 1e6).toFixed(0)} MB (${((sent - package_.size) / 1e3 / hosts.length).toFixed(0)} kB a host beside it)`,
      `<= ${GOAL.packages}`,
    )
    row('the same: apply', `${applied.seconds.toFixed(0)} s, ${applied.memory.toFixed(0)} MiB`, '')
    for (const line of lines) line.close()
  })
}

/** @param roundTrip milliseconds */
async function againstAnsible(roundTrip: number): Promise<void> {
  const package_ = makePackage(work, 8)
  const prepare = readFileSync(new URL('preparation/prepare.sh', import.meta.url), 'utf8').replace(
    'EXECUTABLE',
    EXECUTABLE,
  )
  const withHosts = <T>(
    use: (fleet: LightFleet, hosts: BenchHost[], machines: LightMachine[]) => Promise<T>,
  ) =>
    withFleet(async (fleet) => {
      const started = await startAll(fleet, named(COUNT.site), () => ({ files: { 'srv/prepare': prepare } }))
      const machines = [...started.values()]
      const lines =
        roundTrip === 0 ? [] : await Promise.all(machines.map((one) => Line.open(one, { roundTrip })))
      const hosts = machines.map(({ name, address, port }, index) => ({
        name,
        role: roleOf(index),
        address,
        port: lines[index]?.port ?? port,
        site: 'shop',
      }))
      try {
        return await use(fleet, hosts, machines)
      } finally {
        for (const line of lines) line.close()
      }
    })
  const edgeadm = await withHosts(async (fleet, hosts, machines) => {
    const file = writeInventory(fleet, hosts, package_.path)
    const first = await applyWith(fleet, file)
    expectDone(first.outcomes)
    const second = await applyWith(fleet, file)
    return { first, second, found: machines.map(preparationOf) }
  })
  const ansible = await withHosts(async (fleet, hosts, machines) => {
    const first = await prepareWithAnsible(fleet, hosts, package_)
    const found = machines.map(preparationOf)
    return { first, second: await prepareWithAnsible(fleet, hosts, package_), found }
  })
  if (JSON.stringify(edgeadm.found) !== JSON.stringify(ansible.found)) {
    console.error(`WRONG: the hosts are not alike:\n${edgeadm.found[1]}\n${ansible.found[1]}`)
    process.exitCode = 1
  }
  const where = roundTrip === 0 ? '' : `, ${roundTrip} ms there and back`
  const compare = (what: string, one: number, other: number, goal: string) =>
    row(
      `${what}${where}`,
      `${one.toFixed(1)} s against ${other.toFixed(1)} s: ${(one / other).toFixed(2)}x`,
      goal,
    )
  compare(
    `${COUNT.site} hosts prepared, against Ansible`,
    edgeadm.first.seconds,
    ansible.first.seconds,
    `<= ${GOAL.ratio}x`,
  )
  compare('processor time of the controller alone', edgeadm.first.busy, ansible.first.busy, '')
  compare('the same again, nothing to do', edgeadm.second.seconds, ansible.second.seconds, '')
}

/** What the preparation is there for: names, modes and contents. */
function preparationOf(machine: LightMachine): string {
  const paths =
    '/etc/containerd /etc/cni/net.d /etc/kubernetes/join.yaml /etc/modules-load.d/k8s.conf /etc/sysctl.d/k8s.conf /etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d /usr/local/bin/kubelet /usr/local/bin/containerd /opt/cni/bin'
  return machine.run(
    `find ${paths} -type f -exec stat -c '%n %a' {} + | sort; find ${paths} -type f -exec sha256sum {} + | sort; grep -c ' master$' /etc/hosts`,
  )
}

function expectDone(outcomes: ReadonlyMap<string, { readonly state: string; readonly text: string }>): void {
  const wrong = [...outcomes].filter(([, { state }]) => state !== 'done')
  if (wrong.length > 0)
    throw new Error(wrong.map(([name, { state, text }]) => `${name} ${state}: ${text}`).join('\n'))
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
const parts: Readonly<Record<string, () => Promise<void>>> = {
  hosts: manyHosts,
  uplink,
  ansible: () => againstAnsible(0),
  'ansible-50ms': () => againstAnsible(50),
  'ansible-270ms': () => againstAnsible(270),
}
const wanted = process.argv.slice(2)
try {
  for (const [name, part] of Object.entries(parts))
    if (wanted.length === 0 || wanted.includes(name)) await part()
  console.log(
    `Commit ${commit}, ${await ansibleVersion()}\n\n| what | measured | goal |\n| --- | --- | --- |`,
  )
  console.log(rows.join('\n'))
} finally {
  rmSync(work, { recursive: true })
}
