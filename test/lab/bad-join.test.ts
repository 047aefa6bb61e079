/** Input that is wrong against a cluster that runs: one clear sentence, the documented exit code, an untouched machine. */

import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { putPackageOf, signPackage, startSkewedApi, TMP, ticketTo } from './almost-right.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { durationOf, phasesDone, runEdgeadm } from './edgeadm-run.ts'
import { changesOf } from './machine-changes.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`]
const INIT_WITHOUT_PACKAGE = ['init', '--config=/root/cluster.yaml', '--enable-edge=false']
const INIT = [...INIT_WITHOUT_PACKAGE, ...WITH_PACKAGE]
let joinWords: string[] = []
const joinWith = (token: string, hash = joinWords[6] ?? '', withPackage = WITH_PACKAGE): string[] => [
  ...['join', joinWords[2] ?? '', `--token=${token}`, `--discovery-token-ca-cert-hash=${hash}`],
  ...[...withPackage, '--enable-edge=false'],
]
const token = (): string => joinWords[4] ?? ''

test('init with a package that is signed, and a key that asks for it', async () => {
  await signPackage(lab)
  const args = ['--install-pkg-path=/root/signed', '--install-pkg-public-key=/root/signed.pub']
  const result = await runEdgeadm(lab, 'master-1', [...INIT_WITHOUT_PACKAGE, ...args], {
    signal: { name: 'INT', phase: 'node/record' },
  })
  expect(result.exitCode, result.error?.message).toBe(130)
  expect(phasesDone(result)).toContain('package')
})

test('a second run at the same time is told who holds the machine', async () => {
  let second: ReturnType<typeof runEdgeadm> | undefined
  const first = await runEdgeadm(lab, 'master-1', INIT, {
    onPhase: (phase) => {
      if (phase === 'certs')
        second = lab
          .probe('master-1', ['edgeadm', ...INIT])
          .then(({ exitCode, stderr }) => ({ exitCode, events: [], error: undefined, stderr }))
    },
  })
  expect(first.exitCode, first.error?.message).toBe(0)
  const refused = (await second) as { exitCode: number; stderr: string } | undefined
  expect(refused?.exitCode).toBe(5)
  expect(refused?.stderr).toMatch(/error: another run holds this machine: `edgeadm init`, pid \d+, since /)
  joinWords = (await lab.run('master-1', ['edgeadm', 'token', 'create', '--print-join-command']))
    .trim()
    .split(' ')
  expect(joinWords).toHaveLength(7)
})

test('init again is done at once with the same settings, and refused with others', async () => {
  const again = await runEdgeadm(lab, 'master-1', INIT)
  expect(again.exitCode, again.error?.message).toBe(0)
  expect(phasesDone(again)).not.toContain('certs')
  const other = await runEdgeadm(lab, 'master-1', [...INIT, '--pod-network-cidr=10.200.0.0/16'])
  expect(other.exitCode).toBe(3)
  expect(other.error?.message).toMatch(
    /^this machine is a node already: `edgeadm init` set it up at .* with other settings$/,
  )
  expect(other.error?.details).toEqual(['--pod-network-cidr was 10.244.0.0/16 and is now 10.200.0.0/16'])
  const join = await runEdgeadm(lab, 'master-1', joinWith(token()))
  expect(join.exitCode).toBe(3)
  expect(join.error?.message).toMatch(
    /^this machine is the master of a cluster already: `edgeadm init` set it up at /,
  )
})

test('a wrong CA hash, a wrong secret, an unknown token: the worker stays as it was', async () => {
  const wrongHash = await runEdgeadm(lab, 'worker-1', joinWith(token(), `sha256:${'0'.repeat(64)}`))
  expect(wrongHash.exitCode, wrongHash.error?.message).toBe(6)
  expect(wrongHash.error?.message).toContain('is not the one that --discovery-token-ca-cert-hash names')
  const id = token().split('.')[0]
  const wrongSecret = await runEdgeadm(lab, 'worker-1', joinWith(`${id}.0123456789abcdef`))
  expect(wrongSecret.exitCode).toBe(6)
  expect(wrongSecret.error?.message).toContain('secret does not fit')
  const expired = await runEdgeadm(lab, 'worker-1', joinWith('aaaaaa.0123456789abcdef'))
  expect(expired.exitCode).toBe(6)
  expect(expired.error?.message).toMatch(/token with id aaaaaa has expired or is unknown/)
  for (const { events } of [wrongHash, wrongSecret, expired])
    expect(JSON.stringify(events)).not.toContain('.0123456789abcdef')
  expect(durationOf(expired, 'discovery')).toBeLessThan(12_000)
  expect(await changesOf(lab, 'worker-1')).toEqual([])
})

test('the name of a node that is at work: refused before anything is changed', async () => {
  const join = await runEdgeadm(lab, 'worker-1', [...joinWith(token()), '--node-name=master-1'])
  expect(join.exitCode, join.error?.message).toBe(3)
  expect(join.error?.message).toBe(
    '[ERROR NodeName]: the cluster has a node "master-1" already, and it is Ready (10.123.0.11)',
  )
  expect(join.error?.fix).toContain('--node-name')
  expect(await changesOf(lab, 'worker-1')).toEqual([])
})

test.each([
  ['a worker', ['--enable-edge=false']],
  ['a master', ['--control-plane', `--certificate-key=${'0'.repeat(64)}`]],
  ['an edge node', []],
])('a clock that is off by more than 30 s keeps %s from joining', async (role, args) => {
  const port = 7500 + role.length
  const line = (endpoint: string) => [...['join', endpoint, ...joinWords.slice(3), ...WITH_PACKAGE, ...args]]
  const ahead = await runEdgeadm(lab, 'worker-1', line(await startSkewedApi(lab, port, '+40 seconds')))
  expect(ahead.exitCode, ahead.error?.message).toBe(6)
  expect(ahead.error?.message).toMatch(
    /^This machine's clock is (39|4\d) s behind that of the master 10\.123\.0\.11:\d+: \S+Z here, \S+Z there$/,
  )
  expect(ahead.error?.fix).toContain('chrony')
  const behind = await runEdgeadm(lab, 'worker-1', line(await startSkewedApi(lab, port + 100, '-1 hour')))
  expect(behind.error?.message).toMatch(/^This machine's clock is 36\d\d s ahead of that of the master/)
  expect(await changesOf(lab, 'worker-1')).toEqual([])
})

test('the same for an edge node that reaches CloudCore alone', async () => {
  await startSkewedApi(lab, 10002, '+40 seconds')
  const join = await runEdgeadm(lab, 'worker-1', [
    'join',
    `--edge-token=${ticketTo('10.123.0.11')}`,
    ...WITH_PACKAGE,
  ])
  expect(join.exitCode, join.error?.message).toBe(6)
  expect(join.error?.message).toMatch(
    /^This machine's clock is \d+ s behind that of the master 10\.123\.0\.11:10002/,
  )
  expect(await changesOf(lab, 'worker-1')).toEqual([])
})

test('a clock that is off by 20 s does not', async () => {
  const line = ['join', await startSkewedApi(lab, 7700, '+20 seconds'), ...joinWith(token()).slice(2)]
  const agreed = await runEdgeadm(lab, 'worker-1', [...line, '--dry-run'])
  expect(agreed.exitCode, agreed.error?.message).toBe(0)
  expect(phasesDone(agreed)).toContain('discovery')
})

test('with a discovery file: the same, and a server that is another one', async () => {
  const kubeconfig = await lab.run('master-1', [
    ...[
      'kubectl',
      '--namespace=kube-public',
      'get',
      'configmap',
      'cluster-info',
      '-o',
      'jsonpath={.data.kubeconfig}',
    ],
  ])
  const joinBy = async (server: string, ...args: string[]) => {
    const input = kubeconfig.replace(/server: .*/, `server: https://${server}`)
    await lab.run('worker-1', ['sh', '-c', `mkdir -p ${TMP} && cat >${TMP}/cluster-info`], { input })
    const flags = [
      `--discovery-file=${TMP}/cluster-info`,
      `--tls-bootstrap-token=${token()}`,
      '--enable-edge=false',
    ]
    return runEdgeadm(lab, 'worker-1', ['join', ...flags, ...WITH_PACKAGE, ...args])
  }
  const good = await joinBy('10.123.0.11:6443', '--dry-run')
  expect(good.exitCode, good.error?.message).toBe(0)
  expect(phasesDone(good)).toContain('discovery')
  const skewed = await joinBy(await startSkewedApi(lab, 7800, '+40 seconds'))
  expect(skewed.error?.message).toMatch(/^This machine's clock is \d+ s behind that of the master/)
  const other = await joinBy('10.123.0.11:10250')
  expect(other.exitCode).toBe(6)
  expect(other.error?.message).toMatch(
    /10\.123\.0\.11:10250 has a certificate that the cluster's CA did not sign/,
  )
  expect(await changesOf(lab, 'worker-1')).toEqual([])
})

test('a package of another Kubernetes version, for a worker and for a master', async () => {
  const [newer, old] = [await putPackageOf(lab, 'v1.40.1'), await putPackageOf(lab, 'v1.20.0')]
  const words = (path: string) => joinWith(token(), joinWords[6], [path])
  for (const [path, why] of [
    [newer, 'and the package has v1.40.1: a kubelet must not be newer than the API server'],
    [
      old,
      'and the package has v1.20.0: a kubelet may be 3 minor versions older than the API server, not more',
    ],
  ] as const) {
    const worker = await runEdgeadm(lab, 'worker-1', words(path))
    expect(worker.exitCode, worker.error?.message).toBe(3)
    expect(worker.error?.message).toMatch(
      /^\[ERROR KubeletVersion\]: the cluster runs Kubernetes v1\.33\.\d+, /,
    )
    expect(worker.error?.message).toContain(why)
    expect(worker.error?.fix).toMatch(/^join with a package for Kubernetes v1\.33\.\d+$/)
  }
  const key = `--certificate-key=${'0'.repeat(64)}`
  const master = await runEdgeadm(lab, 'worker-1', [...words(newer), '--control-plane', key])
  expect(master.exitCode, master.error?.message).toBe(3)
  expect(master.error?.details).toEqual([
    expect.stringMatching(
      /^\[ERROR KubernetesVersion\]: .*v1\.40\.1: join masters with a package for v1\.33/,
    ),
    expect.stringMatching(/^\[ERROR CertificateKey\]: there are no uploaded certificates in the cluster/),
  ])
  expect(await changesOf(lab, 'worker-1')).toEqual([])
})

test('Ctrl-C and SIGTERM say how to go on; the same line goes on and ends with a Ready node', async () => {
  const before = await runEdgeadm(lab, 'worker-1', joinWith(token()), {
    signal: { name: 'INT', phase: 'package' },
  })
  expect(before.exitCode).toBe(130)
  expect(before.error?.fix).toBe('nothing was changed yet; run the same command again when you like')
  expect(await changesOf(lab, 'worker-1')).toEqual([])

  const interrupted = await runEdgeadm(lab, 'worker-1', joinWith(token()), {
    signal: { name: 'INT', phase: 'runtime/images' },
  })
  expect(interrupted.exitCode).toBe(130)
  expect(interrupted.error?.message).toBe('interrupted by Ctrl-C')
  expect(interrupted.error?.fix).toBe(
    'run the same command again to go on where it stopped, or `edgeadm reset` to go back',
  )
  const terminated = await runEdgeadm(lab, 'worker-1', joinWith(token()), {
    signal: { name: 'TERM', phase: 'cni/config' },
  })
  expect(terminated.exitCode, terminated.error?.message).toBe(143)

  const last = await runEdgeadm(lab, 'worker-1', joinWith(token()))
  expect(last.exitCode, last.error?.message).toBe(0)
  expect(await lab.run('master-1', ['kubectl', 'get', 'nodes', '--no-headers'])).toMatch(/^worker-1 +Ready /m)
})

test('join again is done at once with an expired token too, and refused with other settings', async () => {
  await lab.run('master-1', ['edgeadm', 'token', 'delete', token().split('.')[0] ?? ''])
  const again = await runEdgeadm(lab, 'worker-1', joinWith(token()))
  expect(again.exitCode, again.error?.message).toBe(0)
  expect(phasesDone(again)).not.toContain('kubelet-start')
  const other = await runEdgeadm(lab, 'worker-1', [...joinWith(token()), '--node-name=other'])
  expect(other.exitCode).toBe(3)
  expect(other.error?.details).toEqual(['--node-name was worker-1 and is now other'])
  const init = await runEdgeadm(lab, 'worker-1', INIT)
  expect(init.exitCode).toBe(3)
  expect(init.error?.message).toMatch(
    /^this machine is a node of a cluster already: `edgeadm join` set it up at /,
  )
})
