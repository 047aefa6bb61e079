import { describe, expect, test } from 'vitest'
import { blockers, chainOf, type Machine, stepProblems } from '../../../src/phases/upgrade/blockers.ts'
import type { ClusterNode, ClusterState } from '../../../src/phases/upgrade/cluster.ts'

const NEW_IMAGES = [
  'kube-apiserver:v1.34.4',
  'kube-proxy:v1.34.4',
  'pause:3.10.1',
  'coredns/coredns:v1.12.1',
  'etcd:3.6.5-0',
].map((name) => ({ name: `registry.k8s.io/${name}`, digest: 'sha256:0', size: 1 }))
const manifest = { kubernetesVersion: 'v1.34.4', images: NEW_IMAGES }

const node = (name: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
  name,
  role: 'worker',
  ready: true,
  schedulable: true,
  version: 'v1.33.13',
  images: NEW_IMAGES.map((image) => image.name),
  ...more,
})

const master = node('master-1', { role: 'master', images: [] })
const edge = node('edge-1', { role: 'edge', version: 'v1.32.10-kubeedge-v1.23.1', images: [] })

const cluster = (more: Partial<ClusterState> = {}): ClusterState => ({
  version: 'v1.33.13',
  nodes: [master, node('worker-1'), edge],
  apiServers: new Map([['master-1', 'v1.33.13']]),
  etcdProblems: [],
  budgets: [],
  kubeEdgeVersion: undefined,
  loosePods: [],
  ...more,
})

const machine = (more: Partial<Machine> = {}): Machine => ({
  nodeName: 'master-1',
  hasCgroup2: true,
  allowsCgroup1: false,
  etcdVersion: 'v3.5.24',
  strayManifests: [],
  manualEdits: '',
  certificates: [],
  free: { state: 1e9, etcd: 1e9 },
  etcdSize: 1e6,
  ...more,
})

const found = (state = cluster(), here = machine(), wanted = manifest) =>
  blockers(state, here, wanted).map(({ check, severity }) => `${severity} ${check}`)

test('a healthy cluster with the images on its nodes has nothing in its way', () => {
  expect(found()).toEqual([])
})

describe('the step', () => {
  test.each([
    ['v1.33.13', 'v1.34.4', undefined],
    ['v1.33.6', 'v1.33.13', undefined],
    ['v1.34.4', 'v1.34.4', undefined],
    ['v1.34.4', 'v1.33.13', 'older than the cluster'],
    ['v1.33.13', 'v1.33.6', 'older than the cluster'],
    ['v1.33.13', 'v1.36.3', 'go through 1.34, 1.35 first'],
    ['', 'v1.34.4', 'cannot tell'],
  ])('from %s to %s', (from, to, problem) => {
    const texts = stepProblems(from, to).map(({ text }) => text)
    if (problem === undefined) expect(texts).toEqual([])
    else expect(texts).toEqual([expect.stringContaining(problem)])
  })

  test('the chain names the minors that need a package of their own', () => {
    expect(chainOf('v1.33.13', 'v1.37.2')).toEqual(['1.34', '1.35', '1.36'])
    expect(chainOf('v1.33.13', 'v1.34.4')).toEqual([])
  })

  test('a half-upgraded control plane goes on: its oldest API server counts', () => {
    const mixed = cluster({
      version: 'v1.34.4',
      apiServers: new Map([
        ['master-1', 'v1.34.4'],
        ['master-2', 'v1.33.13'],
      ]),
    })
    expect(found(mixed)).toEqual([])
  })
})

test('all that stands in the way is said at once', () => {
  const state = cluster({
    etcdProblems: ['etcd does not answer on this master'],
    nodes: [
      master,
      node('worker-1', { images: [] }),
      node('worker-2', { ready: false, version: 'v1.30.0' }),
      edge,
    ],
    budgets: [{ name: 'shop/web', allowed: 0, pods: 2 }],
    loosePods: ['default/by-hand'],
  })
  const here = machine({
    strayManifests: ['/etc/kubernetes/manifests/etcd.yaml.bak'],
    manualEdits: '--- a\n+++ b',
    certificates: [
      'the certificate /etc/kubernetes/pki/apiserver.crt ends on 2026-12-01: the upgrade renews it',
    ],
    free: { state: 1e9, etcd: 1e6 },
    etcdSize: 1e6,
    etcdVersion: 'v3.5.21',
  })
  expect(found(state, here)).toEqual([
    'error KubeletVersion',
    'error EtcdHealth',
    'error EtcdVersion',
    'error NodesReady',
    'error NodeImages',
    'error StaticPods',
    'error ManualEdits',
    'warning PodDisruptionBudget',
    'error LoosePods',
    'warning Certificates',
    'error DiskSpace',
  ])
})

test('edge nodes hold the cluster back, and one that is away does not', () => {
  const wanted = { ...manifest, kubernetesVersion: 'v1.36.3' }
  const from = cluster({
    version: 'v1.35.4',
    apiServers: new Map([['master-1', 'v1.35.4']]),
    kubeEdgeVersion: 'v1.23.1',
  })
  const texts = blockers(from, machine(), wanted).map(({ text }) => text)
  expect(texts).toEqual([
    expect.stringContaining('edge node edge-1 runs v1.32.10-kubeedge-v1.23.1'),
    expect.stringContaining('KubeEdge v1.23.1 has the kubelet 1.32'),
  ])
  expect(found(cluster({ nodes: [master, { ...edge, ready: false }] }))).toEqual(['warning NodesReady'])
})

test('control groups of version 1 are refused from 1.35 on, unless the cluster says that they are meant', () => {
  const wanted = { ...manifest, kubernetesVersion: 'v1.35.4' }
  const from = cluster({ version: 'v1.34.4', apiServers: new Map([['master-1', 'v1.34.4']]) })
  expect(found(from, machine({ hasCgroup2: false }), wanted)).toEqual(['error SystemVerification'])
  expect(found(from, machine({ hasCgroup2: false, allowsCgroup1: true }), wanted)).toEqual([])
  expect(found(cluster(), machine({ hasCgroup2: false }))).toEqual([])
})
