import { expect, test } from 'vitest'
import type { MasterStatus } from '../../src/run/master-status.ts'
import type { ClusterStatus } from '../../src/run/status.ts'
import { metricsOf } from '../../src/run/status-metrics.ts'
import { problemsOf } from '../../src/run/status-problems.ts'

const node = {
  name: 'a',
  roles: [],
  ready: true,
  reason: '',
  version: 'v1.33.13',
  address: '10.0.0.1',
  seen: 1,
}
const part = { name: 'cloudcore', image: '', wanted: 1, ready: 1 }
const status: ClusterStatus = {
  schema: 'edgeadm.io/status/v1alpha1',
  kubernetesVersion: 'v1.33.13',
  edge: undefined,
  nodes: [node],
  parts: [part],
  warnings: [],
  master: undefined,
  problems: [],
}

const master: MasterStatus = {
  etcd: { members: [{ name: 'a', problem: null, learner: false }], spare: 0 },
  virtualAddress: undefined,
  certificates: [],
  lastBackup: { path: '/b', time: '2027-01-01T00:00:00Z' },
  drift: 0,
}
const now = Date.parse('2027-01-02T00:00:00Z')
const dead = {
  ...node,
  name: 'edge-1',
  roles: ['edge'],
  ready: false,
  seen: 7300,
  reason: 'NodeStatusUnknown',
}

test.each<[string, Partial<ClusterStatus>, string[]]>([
  ['nothing', {}, []],
  [
    'a node that is away',
    { nodes: [dead] },
    ['edge-1 (edge) is not Ready, offline since 2 h: NodeStatusUnknown'],
  ],
  ['KubeEdge behind by one', { nodes: [{ ...node, version: 'v1.32.10-kubeedge-v1.23.0' }] }, []],
  ['a newer kubelet', { nodes: [{ ...node, version: 'v1.34.0' }] }, ['newer than the API server']],
  ['an old kubelet', { nodes: [{ ...node, version: 'v1.29.0' }] }, ['more than 3 minor versions behind']],
  ['a part', { parts: [{ ...part, ready: 0 }] }, ['cloudcore: 0 of 1 run']],
  [
    'no quorum',
    {
      master: {
        ...master,
        etcd: { members: [{ name: 'b', problem: 'no answer', learner: false }], spare: -1 },
      },
    },
    ["etcd's member b: no answer", 'etcd has no quorum'],
  ],
  [
    'an old backup',
    { master: { ...master, lastBackup: { path: '/b', time: '2026-12-01T00:00:00Z' } } },
    ['32 days old'],
  ],
  [
    'nobody',
    { master: { ...master, virtualAddress: { address: '10.0.0.9', holder: null } } },
    ['no master answers'],
  ],
])('what needs hands: %s', (_, change, expected) => {
  const problems = problemsOf({ ...status, master, ...change }, now)
  expect(problems).toHaveLength(expected.length)
  for (const [index, text] of expected.entries()) expect(problems[index]).toContain(text)
})

test('metrics have a line for each node, and quotes of names are escaped', () => {
  const text = metricsOf({ ...status, nodes: [{ ...node, name: 'a"b' }, dead], master }, now)
  expect(text).toContain('edgeadm_node_ready{node="a\\"b",role="worker"} 1\n')
  expect(text).toContain('edgeadm_node_ready{node="edge-1",role="edge"} 0\n')
  expect(text).toContain('edgeadm_last_backup_timestamp_seconds 1798761600\n')
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [\d.]+)$/)
})
