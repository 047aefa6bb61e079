/** A cluster from one file, over SSH, on bare machines; then a label, a host more, and one less. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type CommandResult, probe } from '../../src/lab/command.ts'
import { networkNamespace } from '../../src/lab/paths.ts'
import type { Event } from '../../src/output/events.ts'
import { makeKey } from '../fleet/sshd.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { changesOf } from './machine-changes.ts'
import { useLab } from './machines.ts'

const directory = mkdtempSync(join(tmpdir(), 'edgeadm-fleet-lab-'))
const key = makeKey(directory, 'key')
const file = join(directory, 'cluster.yaml')
afterAll(() => rmSync(directory, { recursive: true }))

const ADDRESSES: Readonly<Record<string, string>> = {
  'master-1': '10.123.0.11',
  'worker-1': '10.123.0.51',
  'worker-2': '10.123.0.52',
  'edge-1': '10.123.0.101',
}
const hostKeys = new Map<string, string>()

// Nothing of edgeadm is on them.
const lab = useLab({
  masters: 1,
  workers: 2,
  edges: 1,
  prepare: async (machines) => {
    const script =
      'mkdir -p -m 700 /root/.ssh; cat >/root/.ssh/authorized_keys; cat /etc/ssh/ssh_host_ed25519_key.pub'
    for (const name of Object.keys(ADDRESSES))
      hostKeys.set(
        name,
        (await machines.run(name, ['sh', '-c', script], { input: readFileSync(`${key}.pub`) })).trim(),
      )
  },
})

/** @param hosts name and what else stands in the entry */
async function write(hosts: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(hosts).map(
    ([name, more]) =>
      `    - {name: ${name}, address: ${ADDRESSES[name]}, role: ${name.split('-')[0]}, site: shop, ssh: {hostKey: "${hostKeys.get(name)}"}${more}}`,
  )
  const head = [
    'apiVersion: edgeadm.io/v1alpha1',
    'kind: Cluster',
    'metadata: {name: lab}',
    'spec:',
    `  package: ${PACKAGE}`,
    `  ssh: {user: root, jump: none, identityFile: ${key}}`,
    '  sites: [{name: shop}]',
    '  hosts:',
  ]
  // What machines that share a kernel need.
  const documents = await lab.run('master-1', ['cat', '/root/cluster.yaml'])
  writeFileSync(file, [...head, ...lines, '---', documents].join('\n'))
}

/** In the machines' network, which has no way out. */
async function edgeadm(...args: string[]): Promise<CommandResult & { events: Event[] }> {
  const result = await probe(
    'ip',
    ['netns', 'exec', networkNamespace(lab.name), EXECUTABLE, ...args, '--output=json'],
    {
      env: { XDG_CACHE_HOME: directory },
    },
  )
  const events = result.stdout
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : []))
  return { ...result, events }
}

/** State by host; the error's text if there is one. */
function outcome({ events }: { events: readonly Event[] }): unknown {
  const result = events.find((event) => event.type === 'result')
  const error = events.find((event) => event.type === 'error' && event.host === undefined)
  if (error?.type === 'error' && result === undefined) return [error.message, ...error.details]
  const { hosts } =
    result?.type === 'result'
      ? (result.data as { hosts: { host: string; state: string; text: string }[] })
      : { hosts: [] }
  return Object.fromEntries(
    hosts.map(({ host, state, text }) => [
      host,
      state === 'failed' || state === 'unreachable' ? text : state,
    ]),
  )
}

/** What is different on a machine's disk, less what a login leaves there, the test's key, and logs, which reset keeps. */
const changes = async (machine: string) =>
  (await changesOf(lab, machine)).filter(
    (path) => !/^\/(var\/log|root\/\.ssh|root\/\.cache|run)(\/|$)/.test(path),
  )

const COLUMNS =
  'custom-columns=:.metadata.name,:.status.conditions[?(@.type=="Ready")].status,:.metadata.labels.place'

/** Name, whether it is Ready, and the label, of each node. */
const nodes = async () =>
  (await lab.run('master-1', ['kubectl', 'get', 'nodes', '--no-headers', '-o', COLUMNS]))
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))

const three = { 'master-1': '', 'worker-1': ', labels: {place: shelf}', 'edge-1': ', labels: {place: door}' }

test('plan shows what apply would do, and apply does it: all nodes are Ready, with their labels', async () => {
  await write(three)
  const planned = await edgeadm('plan', '-f', file)
  expect(planned.exitCode, planned.stdout).toBe(10)
  const applied = await edgeadm('apply', '-f', file, '--yes')
  expect(outcome(applied)).toEqual({ 'master-1': 'done', 'worker-1': 'done', 'edge-1': 'done' })
  expect(applied.exitCode).toBe(0)
  await lab.run('master-1', ['kubectl', 'wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=120s'])
  expect(await nodes()).toEqual([
    ['edge-1', 'True', 'door'],
    ['master-1', 'True', '<none>'],
    ['worker-1', 'True', 'shelf'],
  ])
  // Events of the hosts come through under their names, and no secret with them.
  const phases = applied.events.filter((event) => event.type === 'phase' && event.host === 'edge-1')
  expect(phases.length).toBeGreaterThan(5)
  expect(applied.stdout).not.toMatch(/[a-z0-9]{6}\.[a-z0-9]{16}/)
  // They gave each other the files.
  expect(applied.stdout).not.toContain('it is sent from here')
})

test('a second apply changes nothing, and the token is taken back', async () => {
  const again = await edgeadm('apply', '-f', file, '--yes')
  expect(outcome(again)).toEqual({ 'master-1': 'unchanged', 'worker-1': 'unchanged', 'edge-1': 'unchanged' })
  expect((await edgeadm('plan', '-f', file)).exitCode).toBe(0)
})

test('a label, a host more, one less: only these are touched, and the machine that left is as it was', async () => {
  const journal = () => lab.run('worker-1', ['sha256sum', '/var/lib/edgeadm/journal.ndjson'])
  const before = await journal()
  await write({
    ...three,
    'worker-1': ', labels: {place: window}',
    'worker-2': '',
    'edge-1': ', state: absent',
  })
  const applied = await edgeadm('apply', '-f', file, '--yes')
  expect(outcome(applied)).toEqual({
    'master-1': 'unchanged',
    'worker-1': 'done',
    'worker-2': 'done',
    'edge-1': 'done',
  })
  expect(await journal()).toBe(before)
  expect((await nodes()).map(([name, , place]) => [name, place])).toEqual([
    ['master-1', '<none>'],
    ['worker-1', 'window'],
    ['worker-2', '<none>'],
  ])
  expect(await changes('edge-1')).toEqual([])
})

test('reset takes the whole cluster down', async () => {
  const reset = await edgeadm('reset', '--filename', file, '--force')
  expect(outcome(reset)).toEqual({
    'master-1': 'done',
    'worker-1': 'done',
    'worker-2': 'done',
    'edge-1': 'unchanged',
  })
  expect(await changes('worker-1')).toEqual([])
})
