/**
 * Three masters behind a virtual address: their certificates are renewed one after the other, and masters are replaced, one
 * that runs and the first one, which is lost. A fourth machine is new.
 */

import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { killMachine } from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import { holders, membersOfEtcd, withClient } from './ha-measure.ts'
import { useLab } from './machines.ts'

const VIP = '10.123.0.240'
const PKI = '/etc/kubernetes/pki/etcd'
const lab = useLab({ masters: 4, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const kubectl = (machine: string, ...args: string[]) => lab.run(machine, ['kubectl', ...args])
const replace = (machine: string, ...args: string[]) =>
  lab.probe(machine, ['edgeadm', 'replace', 'master', ...args])

/** The words of the line that was printed for a new master. */
const lineIn = (text: string): string[] => {
  const words = /edgeadm join .* --control-plane --certificate-key [0-9a-f]{64}/.exec(text)?.[0].split(' ')
  if (words === undefined) throw new Error(`there is no join line: ${text}`)
  return words
}

async function join(machine: string, line: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await lab.probe(machine, [...line, ...WITH_PACKAGE])
  expect(exitCode, `${machine}: ${stderr}`).toBe(0)
}

/** What the cluster counts as its masters, in all places. */
async function expectMasters(machine: string, masters: readonly string[]): Promise<void> {
  const label = 'node-role.kubernetes.io/control-plane'
  const nodes = await kubectl(machine, 'get', 'nodes', '-l', label, '-o', 'name')
  expect(nodes.trim().split('\n')).toEqual(masters.map((name) => `node/${name}`))
  const query = ['-n', 'kube-system', '-l', 'edgeadm.io/master', '-o', 'name']
  const records = await kubectl(machine, 'get', 'configmaps', ...query)
  expect(records.trim().split('\n')).toEqual(masters.map((name) => `configmap/edgeadm-master-${name}`))
  expect(await membersOfEtcd(lab, machine, PKI)).toEqual(masters)
  for (const one of masters)
    await eventually(
      () => lab.run(one, ['cat', '/etc/edgeadm/load-balancer/servers.cfg']),
      (text) => [...text.matchAll(/server (\S+) /g)].map(([, name]) => name).join() === masters.join(),
      60_000,
    )
  await eventually(
    () => holders(lab, masters, VIP),
    (all) => all.length === 1,
    60_000,
  )
}

test('the last master cannot be replaced', async () => {
  const { exitCode, stdout, stderr } = await lab.probe('master-1', [
    ...['edgeadm', 'init', '--ha=haproxy-keepalived', `--control-plane-endpoint=${VIP}:8443`],
    ...['--upload-certs', '--enable-edge=false', ...WITH_PACKAGE],
  ])
  expect(exitCode, stderr).toBe(0)
  const last = await replace('master-1', 'master-1', '--yes')
  expect(last.stderr).toContain('master-1 is the last master: without it there is no cluster')
  expect(last.exitCode).toBe(3)
  const line = lineIn(stdout)
  await join('master-2', line)
  await join('master-3', line)
  await expectMasters('master-1', ['master-1', 'master-2', 'master-3'])
})

/** Of what the API server and etcd of a machine show, not of a file. */
const servedSerials = (machine: string) =>
  lab.run(machine, [
    'sh',
    '-c',
    'for port in 6443 2379; do openssl s_client -connect 127.0.0.1:$port </dev/null 2>/dev/null | openssl x509 -noout -serial; done',
  ])

test('certificates are renewed on one master after the other, and a client goes on', async () => {
  const report = await withClient(lab, 5, async () => {
    for (const machine of ['master-1', 'master-2', 'master-3']) {
      const before = (await servedSerials(machine)).trim().split('\n')
      const { exitCode, stderr } = await lab.probe(machine, ['edgeadm', 'certs', 'renew'])
      expect(exitCode, `${machine}: ${stderr}`).toBe(0)
      const after = (await servedSerials(machine)).trim().split('\n')
      expect(after).toHaveLength(2)
      for (const serial of after) expect(before).not.toContain(serial)
    }
  })
  console.log(
    `certs renew on three masters: longest gap ${report.gaps[0] ?? 'below 200'} ms (${report.answers} answers), ${report.lost} of ${report.acknowledged} acknowledged writes lost`,
  )
  expect(report.lost).toBe(0)
  expect(report.acknowledged).toBeGreaterThan(50)
  const status = await lab.probe('master-1', ['edgeadm', 'certs', 'status'])
  expect(status.exitCode, status.stdout).toBe(0)
  await expectMasters('master-1', ['master-1', 'master-2', 'master-3'])
})

test('a certificate that ends within days is an Event on its Node', async () => {
  // kubeadm itself makes one that lives a day.
  const config = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.33.13
certificateValidityPeriod: 24h0m0s
`
  await lab.run('master-2', ['sh', '-c', 'cat >/root/short.yaml'], { input: config })
  await lab.run('master-2', ['kubeadm', 'certs', 'renew', 'scheduler.conf', '--config', '/root/short.yaml'])
  for (let run = 0; run < 2; run += 1)
    await lab.run('master-2', ['edgeadm', 'status', '--textfile', '/run/edgeadm.prom'])
  const described = await kubectl('master-1', 'describe', 'node', 'master-2')
  expect(described).toMatch(/Warning +CertificateEndsSoon .* the certificate scheduler.conf ends on /)
  expect(described.match(/CertificateEndsSoon/g)).toHaveLength(1)
  const renewed = await lab.probe('master-2', ['edgeadm', 'certs', 'renew', 'scheduler.conf'])
  expect(renewed.exitCode, renewed.stderr).toBe(0)
})

test('bad input is one sentence, and nothing is changed', async () => {
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-9' } }),
  })
  const cases = [
    ['master-1', 'master-7', 3, 'the cluster has no master master-7; it has master-1, master-2, master-3'],
    ['master-1', '10.123.0.77', 3, 'the cluster has no master 10.123.0.77'],
    ['master-1', 'worker-9', 3, 'worker-9 is a worker, no master'],
    ['master-1', 'master-1', 3, 'this machine is master-1 itself'],
    ['master-1', '10.123.0.11', 3, 'this machine is master-1 itself'],
    ['master-1', 'Master_2', 2, '"Master_2" is neither an IP address nor a DNS name'],
    ['master-4', 'master-1', 3, 'master-4 is no master, and `edgeadm replace master` runs on one'],
  ] as const
  for (const [machine, old, code, text] of cases) {
    const { exitCode, stderr } = await replace(machine, old, '--yes')
    expect(stderr).toContain(text)
    expect(exitCode, old).toBe(code)
  }
  await kubectl('master-1', 'delete', 'node', 'worker-9')
  await expectMasters('master-1', ['master-1', 'master-2', 'master-3'])
})

test('a master that runs is named its own reset, and a new machine of its name joins with the line', async () => {
  const before = await replace('master-1', 'master-3', '--dry-run')
  expect(before.stdout).toContain('This was a dry run. master-3 runs')
  expect(before.stdout).not.toContain('--certificate-key')
  const { exitCode, stdout, stderr } = await replace('master-1', '10.123.0.13')
  expect(exitCode, stderr).toBe(0)
  expect(stdout).toContain('master-3 runs, so it leaves by its own reset')
  await expectMasters('master-1', ['master-1', 'master-2', 'master-3'])
  const reset = await lab.probe('master-3', ['edgeadm', 'reset', '--force'])
  expect(reset.exitCode, reset.stderr).toBe(0)
  await expectMasters('master-1', ['master-1', 'master-2'])
  await join('master-3', lineIn(stdout))
  await expectMasters('master-1', ['master-1', 'master-2', 'master-3'])
})

test('the first master is lost: it is taken out, and another machine takes its place', async () => {
  await killMachine(lab.name, 'master-1')
  await eventually(
    () => kubectl('master-2', 'get', 'node', 'master-1', '--no-headers'),
    (line) => / NotReady /.test(line),
    120_000,
  )
  const asked = await replace('master-2', 'master-1')
  expect(asked.stderr).toContain('give --yes if master-1 is to leave the cluster')
  expect(asked.exitCode).toBe(2)
  const dry = await replace('master-2', 'master-1', '--dry-run')
  expect(dry.exitCode, dry.stderr).toBe(0)
  expect(await membersOfEtcd(lab, 'master-2', PKI)).toEqual(['master-1', 'master-2', 'master-3'])

  const { exitCode, stdout, stderr } = await replace('master-2', 'master-1', '--yes')
  expect(exitCode, stderr).toBe(0)
  expect(stdout).toContain('master-1 is out of the cluster')
  await expectMasters('master-2', ['master-2', 'master-3'])
  await join('master-4', lineIn(stdout))
  await expectMasters('master-2', ['master-2', 'master-3', 'master-4'])
  const again = await replace('master-2', 'master-1', '--yes')
  expect(again.stderr).toContain('the cluster has no master master-1')
  expect(again.stderr).toContain('edgeadm token create --print-join-command --control-plane')
})

test('without a quorum nothing is taken out', async () => {
  await killMachine(lab.name, 'master-3')
  await killMachine(lab.name, 'master-4')
  const { exitCode, stderr } = await replace('master-2', 'master-3', '--yes')
  expect(stderr).toContain('etcd has no quorum: 0 of its 3 voting members are healthy, and 2 are needed')
  expect(exitCode).toBe(3)
})
