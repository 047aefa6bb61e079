/** A cluster from one file, over SSH, on bare machines; then a label, a host more, and one less. */

import { expect, test } from 'vitest'
import { outcome, useFleetLab } from './fleet-lab.ts'

const { lab, write, edgeadm, changes } = useFleetLab(
  { masters: 1, workers: 2, edges: 1 },
  {
    'master-1': '10.123.0.11',
    'worker-1': '10.123.0.51',
    'worker-2': '10.123.0.52',
    'edge-1': '10.123.0.101',
  },
)

const COLUMNS =
  'custom-columns=:.metadata.name,:.status.conditions[?(@.type=="Ready")].status,:.metadata.labels.place'

/** Name, whether it is Ready, and the label, of each node. */
const nodes = async () =>
  (await lab.run('master-1', ['kubectl', 'get', 'nodes', '--no-headers', '-o', COLUMNS]))
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))

const three = {
  'master-1': {},
  'worker-1': { more: ', labels: {place: shelf}' },
  'edge-1': { more: ', labels: {place: door}' },
}

test('plan shows what apply would do, and apply does it: all nodes are Ready, with their labels', async () => {
  await write(three)
  const planned = await edgeadm('plan')
  expect(planned.exitCode, planned.stdout).toBe(10)
  const applied = await edgeadm('apply', '--yes')
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
  const again = await edgeadm('apply', '--yes')
  expect(outcome(again)).toEqual({ 'master-1': 'unchanged', 'worker-1': 'unchanged', 'edge-1': 'unchanged' })
  expect((await edgeadm('plan')).exitCode).toBe(0)
})

test('a label, a host more, one less: only these are touched, and the machine that left is as it was', async () => {
  const journal = () => lab.run('worker-1', ['sha256sum', '/var/lib/edgeadm/journal.ndjson'])
  const before = await journal()
  await write({
    ...three,
    'worker-1': { more: ', labels: {place: window}' },
    'worker-2': {},
    'edge-1': { more: ', state: absent' },
  })
  const applied = await edgeadm('apply', '--yes')
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
  const reset = await edgeadm('reset', '--force')
  expect(outcome(reset)).toEqual({
    'master-1': 'done',
    'worker-1': 'done',
    'worker-2': 'done',
    'edge-1': 'unchanged',
  })
  expect(await changes('worker-1')).toEqual([])
})
