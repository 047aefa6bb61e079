/** What follows from the file, the hosts' facts and the cluster's nodes; no host is needed for it. */

import { describe, expect, test } from 'vitest'
import { parseConfigFile } from '../../src/config/file.ts'
import { checkHosts, selectHosts } from '../../src/fleet/check-hosts.ts'
import type { ClusterNode } from '../../src/fleet/cluster.ts'
import { hostFlags, initConfig, joinConfig } from '../../src/fleet/documents.ts'
import { type HostFacts, parseFacts } from '../../src/fleet/facts.ts'
import { inventoryOf } from '../../src/fleet/inventory.ts'
import { planFleet } from '../../src/fleet/plan.ts'

const CA = `sha256:${'1'.repeat(64)}`
const inventory = inventoryOf(
  parseConfigFile(
    `apiVersion: edgeadm.io/v1alpha1
kind: Cluster
metadata: {name: shop}
spec:
  package: p.tar
  sites: [{name: s}]
  hosts:
    - {name: m1, address: 10.0.0.1, role: master}
    - {name: w1, address: 10.0.0.2, role: worker, labels: {a: "1"}}
    - {name: till-1, address: 10.0.0.3, role: edge, site: s, taints: [{key: k, value: v, effect: NoSchedule}], edgeConfiguration: {edge: {metaServer: plain}}}
    - {name: till-2, address: 10.0.0.4, role: edge, state: absent}
---
apiVersion: edgeadm.io/v1alpha1
kind: EdgeConfiguration
edge: {metaServer: secure, cloudAddresses: [10.0.0.9]}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failSwapOn: false
`,
    'cluster.yaml',
  ),
  '/x',
  {},
)
let machine = 0
function facts(more: Partial<HostFacts> = {}): HostFacts {
  machine += 1
  return {
    ...parseFacts(`os=Linux\narch=x86_64\nmachineId=${machine}\ntime=1000\nfreeKiB=99999999\n`, 1_000_000),
    ...more,
  }
}
const record = (node: string, role: 'master' | 'worker' | 'edge') => ({
  cluster: 'shop',
  ca: CA,
  node,
  role,
  time: '',
})
const setUp = (name: string, role: 'master' | 'worker' | 'edge') =>
  facts({
    record: record(name, role),
    isNode: true,
    hasAdminConf: role === 'master',
    executable: 'x',
    ...(role === 'edge' ? {} : { ca: CA }),
  })
const node = (name: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
  name,
  labels: { 'edgeadm.io/fleet': 'shop' },
  taints: [],
  applied: undefined,
  isReady: true,
  isMaster: false,
  ...more,
})
const known = (byName: Record<string, HostFacts>) =>
  inventory.hosts.flatMap((host) =>
    byName[host.name] === undefined ? [] : [{ host, facts: byName[host.name] as HostFacts }],
  )
const planned = (byName: Record<string, HostFacts>, nodes?: ClusterNode[]) =>
  planFleet({ inventory, known: known(byName), nodes, primary: 'm1', executable: 'x' })
const actions = (...args: Parameters<typeof planned>) =>
  Object.fromEntries(planned(...args).hosts.map(({ host, action }) => [host.name, action]))
const problems = (byName: Record<string, HostFacts>, nodes?: ClusterNode[], ca?: string) =>
  checkHosts({
    inventory,
    planned: planned(byName, nodes).hosts,
    manifest: undefined,
    packageSize: 1000,
    nodes,
    ca,
  }).problems

describe('plan', () => {
  test('bare machines', () => {
    expect(actions({ m1: facts(), w1: facts(), 'till-1': facts(), 'till-2': facts() })).toEqual({
      m1: 'init',
      w1: 'join',
      'till-1': 'join',
      'till-2': 'none',
    })
  })

  test('labels that differ, and those of the fleet that are gone from the file; others stay', () => {
    const w1 = node('w1', {
      labels: { a: '0', old: 'x', theirs: 'y', 'edgeadm.io/fleet': 'shop' },
      applied: { labels: { a: '0', old: 'x' } },
    })
    const { hosts } = planned({ m1: setUp('m1', 'master'), w1: setUp('w1', 'worker') }, [node('m1'), w1])
    expect(hosts.map(({ action, changes }) => [action, changes])).toEqual([
      ['none', []],
      ['update', ['label a=1 (is 0)', 'remove the label old']],
    ])
  })

  test('a new machine under the name of a lost node replaces it', () => {
    expect(
      actions({ m1: setUp('m1', 'master'), w1: facts() }, [node('m1'), node('w1', { isReady: false })]),
    ).toMatchObject({
      w1: 'replace',
    })
    expect(problems({ m1: setUp('m1', 'master'), w1: facts() }, [node('m1'), node('w1')])).toEqual([
      'w1: the cluster has a node of this name that is Ready, and the machine at 10.0.0.2 is bare: two machines would have one name',
    ])
  })

  test('only nodes with the label of this fleet count as orphans', () => {
    const nodes = [
      node('m1'),
      node('gone'),
      node('autoscaled', { labels: {} }),
      node('other', { labels: { 'edgeadm.io/fleet': 'x' } }),
    ]
    expect(planned({ m1: setUp('m1', 'master') }, nodes).orphans.map(({ name }) => name)).toEqual(['gone'])
  })
})

describe('hosts looked at together', () => {
  test('nothing is wrong with bare machines', () => {
    expect(problems({ m1: facts(), w1: facts() })).toEqual([])
  })

  test.each<[string, Record<string, HostFacts>, RegExp]>([
    [
      'one machine twice',
      { m1: facts({ machineId: 'z' }), w1: facts({ machineId: 'z' }) },
      /^w1 and m1 have the same \/etc\/machine-id/,
    ],
    [
      'a clock',
      { m1: facts(), w1: facts(), 'till-1': facts({ clockOffset: -300 }) },
      /^till-1: its clock is 300 s behind the others/,
    ],
    [
      'another fleet',
      { w1: facts({ record: { ...record('w1', 'worker'), cluster: 'y' } }) },
      /^w1: it belongs to the cluster "y", and this file is "shop"$/,
    ],
    [
      'another role',
      { w1: facts({ record: record('w1', 'edge'), isNode: true }) },
      /^w1: it is an edge node, and the file wants a worker/,
    ],
    [
      'a node of something else',
      { w1: facts({ isNode: true, server: 'https://k' }) },
      /^w1: it is a node of a cluster already \(https:\/\/k\)/,
    ],
    [
      'another CA',
      { m1: setUp('m1', 'master'), w1: facts({ isNode: true, journal: 'join', ca: 'sha256:2' }) },
      /^w1: it is a node of another cluster/,
    ],
    ['no space', { m1: facts({ freeKiB: 1 }) }, /^m1: \/var\/lib has 0 MiB left/],
    ['a missing program', { m1: facts({ missingPrograms: ['tail'] }) }, /^m1: it has no tail$/],
  ])('%s', (_what, byName, expected) => {
    const found = problems(byName, byName.m1?.record === undefined ? undefined : [node('m1')], byName.m1?.ca)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(expected)
  })
})

test.each([
  [[], ['m1', 'w1', 'till-1', 'till-2']],
  [['till-*'], ['till-1', 'till-2']],
  [
    ['role=master', 'w?'],
    ['m1', 'w1'],
  ],
  [['site=s'], ['till-1']],
  [['w'], []],
])('--limit %j means %j', (limits, expected) => {
  expect(selectHosts(inventory.hosts, limits).map(({ name }) => name)).toEqual(expected)
})

test("a host's file: its own EdgeConfiguration lies over the common one, and secrets are in no flag", () => {
  const till = inventory.hosts[2]
  const master = inventory.hosts[0]
  if (till === undefined || master === undefined) throw new Error('no host')
  const data = { endpoint: 'm:6443', token: 'abcdef.0123456789abcdef', caCertHash: CA }
  const file = parseConfigFile(joinConfig(inventory, till, data, 'v1.33.1'), 'join.yaml')
  expect([...file.documents.keys()]).toEqual([
    'JoinConfiguration',
    'KubeletConfiguration',
    'EdgeConfiguration',
  ])
  expect(file.documents.get('EdgeConfiguration')?.value.edge).toEqual({
    metaServer: 'plain',
    cloudAddresses: ['10.0.0.9'],
  })
  expect(file.documents.get('JoinConfiguration')?.value.discovery).toEqual({
    bootstrapToken: { token: data.token, apiServerEndpoint: data.endpoint, caCertHashes: [CA] },
  })
  const flags = hostFlags(till, facts({ addresses: ['10.0.0.3'] }), false)
  expect(flags).toEqual([
    '--node-name=till-1',
    '--node-ip=10.0.0.3',
    '--node-taints=k=v:NoSchedule',
    '--enable-edge=true',
  ])
  expect(hostFlags(master, facts({ addresses: ['192.0.2.1'] }), true)).toEqual(['--node-name=m1'])
  expect(initConfig(inventory, master)).not.toContain('kind: Cluster\n')
})
