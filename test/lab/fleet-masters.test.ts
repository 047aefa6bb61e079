/**
 * Three masters, two workers and an edge node from one file, on bare machines; then one file with a label, a worker more and
 * one less; then a worker and a master whose machines are lost and get new ones. Part of `npm run test:long`.
 */

import { expect, test } from 'vitest'
import { killMachine } from '../../src/lab/index.ts'
import { eventually } from './eventually.ts'
import { type FleetLabHost, outcome, useFleetLab } from './fleet-lab.ts'
import { membersOfEtcd } from './ha-measure.ts'

const VIP = '10.123.0.240'
const ETCD_PKI = '/etc/kubernetes/pki/etcd'
const MASTERS = ['master-1', 'master-2', 'master-3']
const { lab, write, edgeadm, changes } = useFleetLab(
  { masters: 3, workers: 4, edges: 1 },
  {
    'master-1': '10.123.0.11',
    'master-2': '10.123.0.12',
    'master-3': '10.123.0.13',
    'worker-1': '10.123.0.51',
    'worker-2': '10.123.0.52',
    'worker-3': '10.123.0.53',
    'worker-4': '10.123.0.54',
    'edge-1': '10.123.0.101',
  },
)

const DOCUMENTS = `---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controlPlaneEndpoint: ${VIP}:8443
---
apiVersion: edgeadm.io/v1alpha1
kind: EdgeConfiguration
highAvailability: {mode: haproxy-keepalived}
`

const SIX: Readonly<Record<string, FleetLabHost>> = {
  'master-1': {},
  'master-2': {},
  'master-3': {},
  'worker-1': {},
  'worker-2': {},
  'edge-1': { more: ', labels: {place: door}' },
}
const names = (hosts: Readonly<Record<string, unknown>>) => Object.keys(hosts).sort()
const all = (hosts: Readonly<Record<string, unknown>>, state: string) =>
  Object.fromEntries(Object.keys(hosts).map((name) => [name, state]))

const COLUMNS = 'custom-columns=:.metadata.name,:.status.conditions[?(@.type=="Ready")].status'

/** Name and Ready of each node. */
async function nodes(): Promise<Record<string, string>> {
  const text = await lab.run('master-1', ['kubectl', 'get', 'nodes', '--no-headers', '-o', COLUMNS])
  const lines = text.trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.trim().split(/\s+/) as [string, string]))
}

const awaitNodes = (wanted: Readonly<Record<string, string>>) =>
  eventually(
    nodes,
    (found) =>
      names(found).every((name) => found[name] === wanted[name]) &&
      names(found).join() === names(wanted).join(),
    180_000,
  )

/** The journals of edgeadm on machines that are set up: they change with every run of it. */
const journals = async (machines: readonly string[]) => {
  const command = ['sha256sum', '/var/lib/edgeadm/journal.ndjson']
  return Promise.all(machines.map((machine) => lab.run(machine, command)))
}

/** An apply, with the time that it took in the log. */
async function apply(what: string) {
  const begun = Date.now()
  const applied = await edgeadm('apply', '--yes')
  console.log(`${what}: ${Math.round((Date.now() - begun) / 1000)} s`)
  return applied
}

test('six bare machines become a cluster with three masters behind one address', async () => {
  await write(SIX, DOCUMENTS)
  const applied = await apply('three masters, two workers, an edge node')
  expect(outcome(applied)).toEqual(all(SIX, 'done'))
  await awaitNodes(all(SIX, 'True'))
  expect(await membersOfEtcd(lab, 'master-1', ETCD_PKI)).toEqual(MASTERS)
  expect(applied.stdout).not.toMatch(/[a-z0-9]{6}\.[a-z0-9]{16}/)
})

test('a second apply changes nothing', async () => {
  const before = await journals(Object.keys(SIX))
  const again = await apply('the same again')
  expect(outcome(again)).toEqual(all(SIX, 'unchanged'))
  expect(await journals(Object.keys(SIX))).toEqual(before)
  expect((await edgeadm('plan')).exitCode).toBe(0)
})

test('a label, a worker more and one less: only these are touched', async () => {
  const untouched = [...MASTERS, 'worker-1', 'edge-1']
  const before = await journals(untouched)
  await write(
    {
      ...SIX,
      'edge-1': { more: ', labels: {place: window}' },
      'worker-2': { more: ', state: absent' },
      'worker-3': {},
    },
    DOCUMENTS,
  )
  const applied = await apply('a label, a worker more, a worker less')
  expect(outcome(applied)).toEqual({
    ...all(SIX, 'unchanged'),
    'edge-1': 'done',
    'worker-2': 'done',
    'worker-3': 'done',
  })
  // A label is set in the cluster; on the machine nothing runs.
  expect(await journals(untouched)).toEqual(before)
  expect(await changes('worker-2')).toEqual([])
  const place = await lab.run('master-1', [
    'kubectl',
    'get',
    'node',
    'edge-1',
    '-o',
    'jsonpath={.metadata.labels.place}',
  ])
  expect(place).toBe('window')
  await awaitNodes(all({ ...omit(SIX, 'worker-2'), 'worker-3': {} }, 'True'))
})

test('a worker and a master whose machines are lost get new machines under their names', async () => {
  const kept = ['master-1', 'master-2', 'worker-3', 'edge-1']
  const before = await journals(kept)
  await Promise.all(['worker-1', 'master-3'].map((machine) => killMachine(lab.name, machine)))
  const wanted = all({ ...omit(SIX, 'worker-2'), 'worker-3': {} }, 'True')
  await awaitNodes({ ...wanted, 'worker-1': 'Unknown', 'master-3': 'Unknown' })
  await write(
    {
      ...omit(SIX, 'worker-2'),
      'edge-1': { more: ', labels: {place: window}' },
      'worker-3': {},
      'worker-1': { machine: 'worker-4' },
      // It was worker-2's, and is bare again.
      'master-3': { machine: 'worker-2' },
    },
    DOCUMENTS,
  )
  const applied = await apply('a worker and a master replaced')
  expect(outcome(applied)).toEqual({
    ...all(Object.fromEntries(kept.map((name) => [name, ''])), 'unchanged'),
    'worker-1': 'done',
    'master-3': 'done',
  })
  expect(await journals(kept)).toEqual(before)
  await awaitNodes(wanted)
  expect(await membersOfEtcd(lab, 'master-1', ETCD_PKI)).toEqual(MASTERS)
  // The new master is among those that the address leads to.
  const servers = await eventually(
    () => lab.run('master-1', ['cat', '/etc/edgeadm/load-balancer/servers.cfg']),
    (text) => text.includes('10.123.0.52') && !text.includes('10.123.0.13:'),
    120_000,
  )
  expect(servers).toContain('master-3')
  expect(outcome(await apply('the same again'))).toEqual(all(wanted, 'unchanged'))
})

test('reset takes all of it down', async () => {
  const reset = await edgeadm('reset', '--force')
  expect(outcome(reset)).toEqual(all({ ...omit(SIX, 'worker-2'), 'worker-3': {} }, 'done'))
  expect(await changes('worker-4')).toEqual([])
})

function omit<T>(hosts: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(hosts).filter(([key]) => key !== name))
}
