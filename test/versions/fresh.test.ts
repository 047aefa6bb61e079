/**
 * A cluster of another version from nothing: a master, a worker and an edge node, then back to the machines as they were.
 * `npm run test:versions` runs it with the package of that version in EDGEADM_TEST_PACKAGE.
 */

import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { readPackageManifest } from '../../src/package/index.ts'
import { EXECUTABLE, PACKAGE } from '../lab/artifacts.ts'
import { edgeLab, WITH_PACKAGE } from '../lab/edge-lab.ts'
import { eventually } from '../lab/eventually.ts'
import { type MachineState, machineState } from '../lab/machine-state.ts'
import { reporting, useLab } from '../lab/machines.ts'

const MACHINES = ['master-1', 'worker-1', 'edge-1'] as const
const lab = useLab({ masters: 1, workers: 1, edges: 1, executable: EXECUTABLE, package: PACKAGE })
const edge = edgeLab(lab)
const manifest = await readPackageManifest(PACKAGE, reporting)
const version = manifest.kubernetesVersion
const coreDns = manifest.images.find(({ name }) => name.includes('/coredns:'))?.name ?? ''

const before: Record<string, MachineState> = {}

beforeAll(async () => {
  for (const machine of MACHINES) before[machine] = await machineState(lab, machine)
})

test('init, join of a worker and of an edge node', async () => {
  const words = await edge.init()
  await lab.run('worker-1', ['edgeadm', ...words, ...WITH_PACKAGE, '--enable-edge=false'])
  await edge.join('edge-1', words)
  const columns = '-o=custom-columns=N:.metadata.name,V:.status.nodeInfo.kubeletVersion'
  const nodes = (await edge.kubectl('get', 'nodes', '--no-headers', columns)).trim().split('\n')
  expect(nodes.map((line) => line.split(/\s+/))).toEqual([
    ['edge-1', expect.stringContaining('-kubeedge-')],
    ['master-1', version],
    ['worker-1', version],
  ])
  await edge.kubectl('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=120s')
})

test('a Pod on the worker is reached through its Service', async () => {
  const web = readFileSync(new URL('../lab/manifests/web.yaml', import.meta.url), 'utf8')
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], {
    input: web.replace(/image: \S+coredns:\S+/, `image: ${coreDns}`),
  })
  await edge.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
  const address = await edge.kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
  await eventually(
    () => edge.curl('master-1', `http://${address}/health`),
    (body) => body === 'OK',
    30_000,
  )
})

test('all Pods run, and only the one that checks it on the edge node', async () => {
  const pods = await eventually(
    () => edge.kubectl('get', 'pods', '-A', '--no-headers', '-o=wide'),
    (text) =>
      text
        .trim()
        .split('\n')
        .every((line) => / Running /.test(line)),
    120_000,
  )
  const onEdge = pods.split('\n').filter((line) => line.includes('edge-1'))
  expect(onEdge).toEqual([expect.stringMatching(/^kubeedge +edge-check-/)])
})

test('the edge node is in order: MetaServer answers, a Pod runs there', async () => {
  const checked = await lab.probe('edge-1', ['edgeadm', 'check', 'edge'])
  expect(checked.exitCode, checked.stdout + checked.stderr).toBe(0)
  // Only images of the edge are there.
  const image = await edge.kubectl(
    ...['get', 'daemonset', 'edge-check', '-n', 'kubeedge'],
    '-o=jsonpath={.spec.template.spec.containers[0].image}',
  )
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'on-edge' },
    spec: { nodeName: 'edge-1', containers: [{ name: 'sleep', image }] },
  }
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], { input: JSON.stringify(pod) })
  await edge.kubectl('wait', '--for=condition=Ready', 'pod/on-edge', '--timeout=120s')
  await edge.kubectl('delete', 'pod', 'on-edge', '--wait', '--timeout=60s')
})

test.each(['edge-1', 'worker-1', 'master-1'])('reset leaves %s as it was', async (machine) => {
  const reset = await lab.probe(machine, ['edgeadm', 'reset', '--force'])
  expect(reset.exitCode, reset.stderr).toBe(0)
  expect(await machineState(lab, machine)).toEqual(before[machine])
})
