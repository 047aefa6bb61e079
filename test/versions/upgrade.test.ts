/**
 * A cluster of a master, a worker and an edge node goes to the next version, is killed on the way, and is reset afterwards.
 * Not in `npm test`: `npm run test:versions` runs it, with the package of the next version in EDGEADM_TEST_NEXT_PACKAGE.
 */

import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { machinePaths } from '../../src/lab/index.ts'
import { type PackageManifest, readPackageManifest, unpackPackage } from '../../src/package/index.ts'
import { EXECUTABLE, PACKAGE } from '../lab/artifacts.ts'
import { edgeLab, WITH_PACKAGE } from '../lab/edge-lab.ts'
import { type RunResult, runEdgeadm } from '../lab/edgeadm-run.ts'
import { eventually } from '../lab/eventually.ts'
import { type MachineState, machineState } from '../lab/machine-state.ts'
import { reporting, useLab } from '../lab/machines.ts'

const NEXT = process.env.EDGEADM_TEST_NEXT_PACKAGE ?? ''
const MACHINES = ['master-1', 'worker-1', 'edge-1'] as const
const lab = useLab({ masters: 1, workers: 1, edges: 1, executable: EXECUTABLE, package: PACKAGE })
const edge = edgeLab(lab)
const next = (path = '/root/next.tar.zst') => [`--install-pkg-path=${path}`]

const before: Record<string, MachineState> = {}
const nextManifest = await readPackageManifest(NEXT, reporting)
const to = nextManifest.kubernetesVersion
let from = ''
let words: string[] = []

beforeAll(async () => {
  from = (await readPackageManifest(PACKAGE, reporting)).kubernetesVersion
  for (const machine of MACHINES) {
    await copyFile(NEXT, join(machinePaths(lab.name, machine).root, 'root/next.tar.zst'))
    before[machine] = await machineState(lab, machine)
  }
  words = await edge.init()
  await lab.run('worker-1', ['edgeadm', ...words, ...WITH_PACKAGE, '--enable-edge=false'])
  await edge.join('edge-1', words)
})

const run = (machine: string, ...args: string[]): Promise<RunResult> =>
  runEdgeadm(lab, machine, ['upgrade', ...args])

async function succeed(machine: string, ...args: string[]): Promise<RunResult> {
  const result = await run(machine, ...args)
  expect(result.exitCode, `${machine}: ${JSON.stringify(result.error)}`).toBe(0)
  return result
}

async function versions(): Promise<string[]> {
  const columns = '-o=custom-columns=N:.metadata.name,V:.status.nodeInfo.kubeletVersion,U:.spec.unschedulable'
  return (await edge.kubectl('get', 'nodes', '--no-headers', columns))
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '))
}

const image = (part: string) =>
  edge.kubectl(
    'get',
    'pods',
    '-n',
    'kube-system',
    '-l',
    `component=${part}`,
    '-o=jsonpath={.items[*].spec.containers[*].image}',
  )

describe('what stands in the way is said, and nothing is changed', () => {
  test.each([
    ['master-1', ['plan', ...next()], 3, '[ERROR NodeImages]: node worker-1 does not have'],
    ['master-1', ['apply', ...next(), '--yes'], 3, '[ERROR NodeImages]: node worker-1 does not have'],
    ['master-1', ['apply', ...next()], 2, 'no terminal to ask on'],
    ['master-1', ['apply', '--yes'], 2, 'needs the package'],
    ['master-1', ['apply', 'v1.99.0', ...next(), '--yes'], 2, 'v1.99.0 was asked for'],
    ['master-1', ['abort'], 3, 'no upgrade of master-1 is under way'],
    ['worker-1', ['node', ...next()], 3, 'a kubelet must not be newer: upgrade the masters to'],
    [
      'worker-1',
      ['apply', ...next(), '--yes'],
      3,
      'worker-1 is a worker, and `edgeadm upgrade apply` runs on a master',
    ],
    ['edge-1', ['plan', ...next()], 3, 'edge-1 is an edge node, and `edgeadm upgrade plan` runs on a master'],
  ])('%s %j', async (machine, args, exitCode, text) => {
    const result = await run(machine, ...args)
    expect([result.exitCode, [result.error?.message, ...(result.error?.details ?? [])].join('\n')]).toEqual([
      exitCode,
      expect.stringContaining(text),
    ])
    expect(await lab.probe(machine, ['ls', '/var/lib/edgeadm/upgrade'])).toMatchObject({ exitCode: 2 })
  })
})

describe('the master', () => {
  test('the worker gets the images, and then the plan has something to do', async () => {
    await succeed('worker-1', 'images', ...next())
    // The kubelet tells the API server of its images within some ten seconds.
    const plan = await eventually(
      () => lab.probe('master-1', ['edgeadm', 'upgrade', 'plan', ...next()]),
      ({ exitCode }) => exitCode === 10,
      120_000,
    )
    expect(plan.stdout).toMatch(new RegExp(`worker-1 +worker +${from} +${to}`))
  })

  test('killed while the control plane changes, it can be taken back', async () => {
    const killed = await runEdgeadm(lab, 'master-1', ['upgrade', 'apply', ...next(), '--yes'], {
      signal: { name: 'KILL', phase: 'upload-config' },
    })
    expect(killed.exitCode).toBe(137)
    expect(await image('kube-apiserver')).toContain(to)
    await succeed('master-1', 'abort', '--yes')
    expect(await image('kube-apiserver')).toContain(from)
    expect(
      await edge.kubectl('get', 'configmap', 'kubeadm-config', '-n', 'kube-system', '-o', 'yaml'),
    ).toContain(`kubernetesVersion: ${from}`)
    expect(await versions()).toContain(`master-1 ${from} <none>`)
  })

  test('killed in one phase after another, the same command goes on and ends with a new master', async () => {
    for (const phase of [
      'upgrade/backup',
      'control-plane',
      'upgrade/drain',
      'runtime/containerd',
      'kubernetes/kubelet-restart',
      'addon/kube-proxy',
    ]) {
      const killed = await runEdgeadm(lab, 'master-1', ['upgrade', 'apply', ...next(), '--yes'], {
        signal: { name: 'KILL', phase },
      })
      expect(killed.exitCode, `killed in ${phase}: ${killed.error?.message}`).toBe(137)
    }
    expect((await run('master-1', 'abort', '--yes')).error?.message).toContain(
      'cannot be taken back any more',
    )
    await succeed('master-1', 'apply', ...next(), '--yes')
    expect(await versions()).toEqual(
      expect.arrayContaining([`master-1 ${to} <none>`, `worker-1 ${from} <none>`]),
    )
    for (const part of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])
      expect(await image(part)).toContain(to)
  })

  test('kube-proxy is new, is nowhere on the edge, and never was', async () => {
    const pods = await edge.kubectl(
      'get',
      'pods',
      '-n',
      'kube-system',
      '-l',
      'k8s-app=kube-proxy',
      '-o=jsonpath={range .items[*]}{.spec.nodeName}={.spec.containers[0].image} {end}',
    )
    expect(pods.trim().split(' ').sort()).toEqual([
      expect.stringMatching(new RegExp(`^master-1=.*:${to}$`)),
      expect.stringMatching(new RegExp(`^worker-1=.*:${to}$`)),
    ])
    const events = await edge.kubectl(
      'get',
      'events',
      '-n',
      'kube-system',
      '-o=jsonpath={range .items[*]}{.message}\n{end}',
    )
    expect(events).not.toMatch(/kube-proxy-\S+ to edge-1/)
    expect(await edge.kubectl('get', 'node', 'edge-1', '--no-headers')).toMatch(/^edge-1 +Ready/)
  })

  test('CoreDNS is new, and not on the edge either', async () => {
    await edge.kubectl('rollout', 'status', 'deployment/coredns', '-n', 'kube-system', '--timeout=120s')
    const pods = await edge.kubectl(
      ...[
        'get',
        'pods',
        '-n',
        'kube-system',
        '-l',
        'k8s-app=kube-dns',
        '--field-selector=status.phase=Running',
      ],
      '-o=jsonpath={range .items[*]}{.spec.nodeName}={.spec.containers[0].image} {end}',
    )
    const image = nextManifest.images.find(({ name }) => name.includes('/coredns:'))?.name
    for (const pod of pods.trim().split(' ')) expect(pod).toMatch(new RegExp(`^(master|worker)-1=${image}$`))
  })

  test('the backup from before is there for root alone, it can be restored, and kubeadm leaves no copies', async () => {
    const listed = await lab.run('master-1', [
      'sh',
      '-c',
      'stat -c %a /var/lib/edgeadm/upgrade/before; ls /var/lib/edgeadm/upgrade/before/*.tar.gz; ls /etc/kubernetes/tmp 2>/dev/null | wc -l',
    ])
    expect(listed).toMatch(/^700\n\S+\.tar\.gz\n0\n$/)
    const file = listed.split('\n')[1] ?? ''
    const verified = await lab.probe('master-1', ['edgeadm', 'backup', 'verify', file])
    expect(verified.exitCode, verified.stderr).toBe(0)
  })

  test('a second run changes nothing', async () => {
    const marks = () =>
      lab.run('master-1', [
        'sh',
        '-c',
        'systemctl show -p ActiveEnterTimestampMonotonic kubelet containerd; kubectl get daemonsets,deployments -A -o "custom-columns=N:.metadata.name,V:.metadata.generation"; ls --full-time /etc/kubernetes/manifests',
      ])
    const earlier = await marks()
    const second = await succeed('master-1', 'apply', ...next(), '--yes')
    expect(second.events.findLast(({ type }) => type === 'result')).toMatchObject({
      text: expect.stringContaining('nothing was changed'),
    })
    expect(await marks()).toBe(earlier)
    const phase = await runEdgeadm(lab, 'master-1', ['init', 'phase', 'edge/affinity', ...next()])
    expect(phase.exitCode, JSON.stringify(phase.error)).toBe(0)
  })
})

describe('the worker', () => {
  test('is drained, killed on the way, and takes Pods again', async () => {
    await edge.kubectl('create', 'deployment', 'web', `--image=registry.k8s.io/pause:3.10`, '--replicas=2')
    await edge.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    const killed = await runEdgeadm(lab, 'worker-1', ['upgrade', 'node', ...next()], {
      signal: { name: 'KILL', phase: 'kubernetes/kubelet' },
    })
    expect(killed.exitCode, killed.error?.message).toBe(137)
    expect(await versions()).toContain(`worker-1 ${from} true`)
    await succeed('worker-1', 'node', ...next())
    expect(await versions()).toContain(`worker-1 ${to} <none>`)
    await edge.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
  })
})

describe('the edge node', () => {
  const folder = '/root/other'

  /** The next package as a folder, with another edgecore. */
  async function otherEdgeCore(change: (program: Buffer) => Buffer): Promise<void> {
    const root = join(machinePaths(lab.name, 'edge-1').root, 'root/other')
    await rm(root, { recursive: true, force: true })
    await mkdir(root, { recursive: true })
    await unpackPackage(NEXT, root, { ...reporting, select: () => true })
    const program = change(await readFile(join(root, 'bin/edgecore')))
    await writeFile(join(root, 'bin/edgecore'), program, { mode: 0o755 })
    const path = join(root, 'manifest.json')
    const manifest = JSON.parse(await readFile(path, 'utf8')) as PackageManifest
    const files = manifest.files.map((file) =>
      file.path === 'bin/edgecore'
        ? { ...file, size: program.length, sha256: createHash('sha256').update(program).digest('hex') }
        : file,
    )
    await writeFile(path, JSON.stringify({ ...manifest, files }))
  }

  const sum = () => lab.run('edge-1', ['sha256sum', '/usr/local/bin/edgecore'])

  test('an edgecore that does not work is taken back by itself', async () => {
    const old = await sum()
    await otherEdgeCore(() => Buffer.from('#!/bin/sh\necho "panic: broken" >&2\nexit 1\n'))
    const result = await run('edge-1', 'node', ...next(folder))
    expect(result.exitCode).toBe(7)
    expect(result.error?.message).toMatch(
      /the new edgecore did not work within 120 s; the old one is back, and works/,
    )
    expect(await sum()).toBe(old)
    expect((await lab.probe('edge-1', ['edgeadm', 'check', 'edge'])).exitCode).toBe(0)
  })

  test('another build of edgecore comes in its place, and the Pods go on', async () => {
    const old = await sum()
    await otherEdgeCore((program) => Buffer.concat([program, Buffer.from('another build')]))
    await succeed('edge-1', 'node', ...next(folder))
    expect(await sum()).not.toBe(old)
    expect((await lab.probe('edge-1', ['edgeadm', 'check', 'edge'])).exitCode).toBe(0)
    await eventually(
      () => edge.kubectl('get', 'node', 'edge-1', '--no-headers'),
      (line) => /^edge-1 +Ready/.test(line),
      120_000,
    )
  })
})

test('the plan has nothing more to do', async () => {
  const plan = await lab.probe('master-1', ['edgeadm', 'upgrade', 'plan', ...next()])
  expect(plan.exitCode, plan.stdout + plan.stderr).toBe(0)
  expect(plan.stdout).toContain('All is at this version already.')
  expect((await run('worker-1', 'node', ...next())).events.at(-1)).toMatchObject({
    text: expect.stringContaining('nothing was changed'),
  })
})

test('reset after the upgrade leaves each machine as it was', async () => {
  await lab.run('edge-1', ['rm', '-rf', '/root/other'])
  for (const machine of ['edge-1', 'worker-1', 'master-1']) {
    const reset = await runEdgeadm(lab, machine, ['reset', '--force'])
    expect(reset.exitCode, JSON.stringify(reset.error)).toBe(0)
    // The tests' own.
    await lab.run(machine, ['rm', `/run/test-${machine}.pid`])
    expect(await machineState(lab, machine)).toEqual(before[machine])
  }
})
