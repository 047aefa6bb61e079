/** The fleet's controller over real SSH, on light machines with a stubbed edgeadm: order, repetition, failures, removal. */

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApplyFleetOptions, type ApplyResult, apply, exec, plan } from '../../src/fleet/index.ts'
import type { EventBody } from '../../src/output/events.ts'
import { serializeManifest } from '../../src/package/index.ts'
import { inventoryHead, type LightFleet, type LightMachine, lightFleet } from '../fleet/light-machine.ts'
import { tarOf } from '../package/synthetic.ts'

let fleet: LightFleet
const machines = new Map<string, LightMachine>()
let file: string

interface Entry {
  readonly role: 'master' | 'worker' | 'edge'
  readonly more?: string
}

/** Writes the inventory of these hosts. */
function inventory(hosts: Readonly<Record<string, Entry>>, rollout = ''): void {
  const lines = Object.entries(hosts).map(
    ([name, { role, more = '' }]) =>
      `    - {name: ${name}, address: 127.0.0.1, role: ${role}, ssh: {port: ${machines.get(name)?.port ?? 1}}${more}}`,
  )
  writeFileSync(
    file,
    [
      ...inventoryHead(fleet),
      `  rollout: {${rollout}}`,
      '  hosts:',
      ...lines,
      '---',
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: ClusterConfiguration',
      'controlPlaneEndpoint: master:6443',
      '',
    ].join('\n'),
  )
}

async function run(more: Partial<ApplyFleetOptions> = {}): Promise<ApplyResult & { events: EventBody[] }> {
  const events: EventBody[] = []
  const result = await apply({
    file,
    folder: join(fleet.directory, 'run'),
    reporting: { emit: (event) => events.push(event), signal: new AbortController().signal },
    ...more,
  })
  return { ...result, events }
}

/** With the reasons, for a test's failure. */
const said = ({ outcomes }: ApplyResult) =>
  outcomes.map(({ host, state, text }) => `${host.name} ${state}: ${text}`).join('\n')

const states = ({ outcomes }: ApplyResult) =>
  Object.fromEntries(outcomes.map(({ host, state }) => [host.name, state]))

const BASE: Record<string, Entry> = {
  m1: { role: 'master' },
  m2: { role: 'master' },
  w1: { role: 'worker' },
  e1: { role: 'edge', more: ', labels: {shop: mitte}, taints: [{key: edge, effect: NoSchedule}]' },
}

beforeAll(async () => {
  fleet = lightFleet(42_000 + (process.pid % 5000))
  file = join(fleet.directory, 'cluster.yaml')
  for (const name of ['m1', 'm2', 'w1', 'e1', 'e2']) machines.set(name, await fleet.start(name))
  const manifest = {
    schema: 'edgeadm.io/package/v1alpha1',
    kubernetesVersion: 'v1.33.13',
    edgeVersion: '0.1.0',
    arch: process.arch === 'x64' ? ('amd64' as const) : ('arm64' as const),
    files: [{ path: 'bin/edgecore', size: 4, mode: 0o755, sha256: '0'.repeat(64), component: 'kubeedge' }],
    images: [],
    components: [],
  }
  writeFileSync(
    join(fleet.directory, 'package.tar'),
    tarOf([{ path: 'manifest.json', content: serializeManifest(manifest), mode: 0o644 }]),
  )
})
afterAll(() => fleet.stop())

test('a plan says what would be done on bare machines, and touches none', async () => {
  inventory(BASE)
  const { plan: found } = await plan({
    file,
    reporting: { emit: () => {}, signal: new AbortController().signal },
  })
  expect(found.hosts.map(({ host, action }) => [host.name, action])).toEqual([
    ['m1', 'init'],
    ['m2', 'join'],
    ['w1', 'join'],
    ['e1', 'join'],
  ])
  expect(machines.get('m1')?.run('ls /var/lib/edgeadm-fleet 2>&1 || true')).toContain('No such file')
})

test('apply sets up the first master, the other one, then the rest; nobody joins before the token is signed', async () => {
  inventory(BASE)
  const late = join(fleet.directory, 'cluster/signs-late')
  writeFileSync(late, '')
  const result = await run({ json: true })
  expect(states(result), said(result)).toEqual({ m1: 'done', m2: 'done', w1: 'done', e1: 'done' })
  expect(existsSync(late)).toBe(false)
  const history = fleet.history()
  expect(history.slice(0, 2)).toEqual(['init m1', 'join m2'])
  expect(history.slice(2, 4).sort()).toEqual(['join e1', 'join w1'])
  expect(history.at(-1)).toBe('delete token abcdef')
  expect(fleet.nodes().e1?.labels).toEqual({ shop: 'mitte', 'edgeadm.io/fleet': 'shop' })
  expect(result.events.filter(({ host, type }) => host === 'e1' && type === 'phase').length).toBeGreaterThan(
    4,
  )
  // Neither the token nor the package stays on a host.
  expect(machines.get('e1')?.run('cd /var/lib/edgeadm-fleet; find . -type f | sort; stat -c %a .')).toBe(
    `${[
      'applied.json',
      'owns-executable',
      'run/command',
      'run/err',
      'run/exit',
      'run/holder',
      'run/out',
      'run/pid',
      'run/run.sh',
    ]
      .map((path) => `./${path}\n`)
      .join('')}700\n`,
  )
})

test('a second apply changes nothing', async () => {
  const before = fleet.history()
  const result = await run()
  expect(result.changed).toBe(false)
  expect(new Set(Object.values(states(result)))).toEqual(new Set(['unchanged']))
  expect(fleet.history()).toEqual(before)
})

test('a label that changed, one that is gone, and a taint reach the node, and nothing else is touched', async () => {
  const before = fleet.history()
  inventory({
    ...BASE,
    e1: { role: 'edge', more: ', labels: {town: berlin}, taints: [{key: edge, effect: NoExecute}]' },
  })
  const result = await run()
  expect(states(result)).toEqual({ m1: 'unchanged', m2: 'unchanged', w1: 'unchanged', e1: 'done' })
  expect(fleet.nodes().e1).toEqual({
    labels: { town: 'berlin', 'edgeadm.io/fleet': 'shop' },
    taints: [{ key: 'edge', effect: 'NoExecute' }],
  })
  expect(fleet.history()).toEqual(before)
})

test('a host that is added and fails is the only one that is touched; the next apply goes on with it', async () => {
  inventory({ ...BASE, e1: { role: 'edge', more: ', labels: {town: berlin}' }, e2: { role: 'edge' } })
  machines.get('e2')?.run('echo fail > /srv/trouble')
  const failed = await run()
  expect(states(failed)).toEqual({
    m1: 'unchanged',
    m2: 'unchanged',
    w1: 'unchanged',
    e1: 'unchanged',
    e2: 'failed',
  })
  expect(failed.outcomes.at(-1)?.text).toBe('the kubelet does not start; look at its journal')
  machines.get('e2')?.run('rm /srv/trouble')
  expect(states(await run()).e2).toBe('done')
  expect(fleet.history().filter((line) => line === 'join e2')).toHaveLength(1)
})

test('a run outlives the controller: the next apply waits for its end, and does not begin another one', async () => {
  inventory({ ...BASE, e2: { role: 'edge', more: ', state: absent' } })
  await run()
  inventory({ ...BASE, e2: { role: 'edge' } })
  machines.get('e2')?.run('echo hang > /srv/trouble')
  const detach = new AbortController()
  const left = await run({
    json: true,
    reporting: {
      emit: (event) => {
        if (event.host === 'e2' && event.type === 'phase' && event.phase === 'preflight')
          detach.abort(new Error('left'))
      },
      signal: detach.signal,
    },
  })
  expect(states(left).e2).toBe('skipped')
  const joined = () => fleet.history().filter((line) => line === 'join e2').length
  const before = joined()
  const texts: string[] = []
  const attached = run({
    reporting: {
      emit: (event) => {
        if (event.type !== 'output') return
        texts.push(event.text)
        if (/under way/.test(event.text)) machines.get('e2')?.run('rm /srv/trouble')
      },
      signal: new AbortController().signal,
    },
  })
  await attached
  expect(texts.join('\n')).toMatch(/e2: `edgeadm join` is under way, begun by \S+@\S+, pid \d+/)
  // It had joined; the second run finds that out by itself, as edgeadm does.
  expect(joined() - before).toBeGreaterThanOrEqual(1)
  expect(states(await run())).toMatchObject({ e2: 'unchanged' })
})

test('a host with state: absent is drained, reset and removed, and nothing of the fleet stays on it', async () => {
  inventory({ ...BASE, e2: { role: 'edge', more: ', state: absent' } })
  const result = await run()
  expect(states(result).e2).toBe('done')
  expect(fleet.history().slice(-3)).toEqual([
    'drain e2',
    `reset ${machines.get('e2')?.run('uname -n').trim()}`,
    'remove-node e2',
  ])
  expect(
    machines.get('e2')?.run('ls -d /var/lib/edgeadm-fleet /usr/local/bin/edgeadm 2>/dev/null || true'),
  ).toBe('')
  expect(states(await run()).e2).toBe('unchanged')
})

test('unreachable is not failed, and holds up nobody; a master that is silent does not become a new cluster', async () => {
  await machines.get('w1')?.stop()
  inventory({ ...BASE, e2: { role: 'edge' } })
  expect(states(await run())).toMatchObject({ w1: 'unreachable', e2: 'done', m1: 'unchanged' })
  await machines.get('m1')?.stop()
  expect(states(await run())).toMatchObject({ m1: 'unreachable', m2: 'unchanged', e2: 'unchanged' })
  await machines.get('m2')?.stop()
  await expect(run()).rejects.toMatchObject({
    class: 'preflight',
    message: expect.stringMatching(/^m1 is a master and does not answer/),
  })
})

test("another cluster's file, and a role that changed, are refused", async () => {
  for (const name of ['m1', 'm2']) machines.delete(name)
  const m3 = await fleet.start('m3')
  machines.set('m1', m3)
  inventory({ m1: { role: 'master' }, e1: { role: 'worker' } })
  await expect(run()).rejects.toMatchObject({
    class: 'preflight',
    message: expect.stringContaining('e1: it is an edge node, and the file wants a worker'),
  })
})

test('exec runs a command on all that are meant', async () => {
  const results = await exec(
    { file, limits: ['e*'], reporting: { emit: () => {}, signal: new AbortController().signal } },
    ['sh', '-c', 'echo "$1" $(id -u)', 'x', 'a  b'],
  )
  expect(results.map(({ host, output, exitCode }) => [host.name, output, exitCode])).toEqual([
    ['e1', 'a  b 0', 0],
  ])
})
