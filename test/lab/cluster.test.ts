/** A cluster from nothing: init on a master, join on a worker, and what a user does with it next. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { type CertificatesSecret, canDecrypt } from '../../src/kubernetes/uploaded-certificates.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 2, workers: 1, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const kubectl = (...args: string[]): Promise<string> => lab.run('master-1', ['kubectl', ...args])

interface Pod {
  readonly metadata: { readonly name: string }
  readonly status: { readonly phase: string; readonly containerStatuses?: { readonly ready: boolean }[] }
}

async function podsNotReady(): Promise<string[]> {
  const { items } = JSON.parse(await kubectl('get', 'pods', '-A', '-o', 'json')) as { items: Pod[] }
  return items
    .filter(
      ({ status }) => status.phase !== 'Running' || status.containerStatuses?.some(({ ready }) => !ready),
    )
    .map(({ metadata }) => metadata.name)
}

let joinLine: string[] = []

test('init prints a join line on stdout, and everything else on stderr', async () => {
  const result = await lab.probe('master-1', ['edgeadm', 'init', ...WITH_PACKAGE])
  expect(result.stderr).toContain('[certs] Generating "ca" certificate and key')
  expect(result.exitCode, result.stderr).toBe(0)
  expect(result.stdout).toContain('Your Kubernetes control-plane has initialized successfully!')
  joinLine =
    /edgeadm join \S+:6443 --token \S+ --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}/
      .exec(result.stdout)?.[0]
      .split(' ') ?? []
  expect(joinLine).toHaveLength(7)
})

test('the printed line joins a worker, which is Ready when the command ends', async () => {
  const result = await lab.probe('worker-1', [...joinLine, ...WITH_PACKAGE, '--enable-edge=false'])
  expect(result.exitCode, result.stderr).toBe(0)
  expect(result.stdout).toContain('This node has joined the cluster:')
  const nodes = await kubectl('get', 'nodes', '--no-headers')
  expect(
    nodes
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).slice(0, 2)),
  ).toEqual([
    ['master-1', 'Ready'],
    ['worker-1', 'Ready'],
  ])
})

test('all Pods run, without a restart', async () => {
  await eventually(podsNotReady, (names) => names.length === 0, 120_000)
  const restarts = await kubectl(
    'get',
    'pods',
    '-A',
    '-o',
    'jsonpath={.items[*].status.containerStatuses[*].restartCount}',
  )
  expect(new Set(restarts.trim().split(' '))).toEqual(new Set(['0']))
})

test('a Pod on the worker is reached through its Service from the master, and by name through CoreDNS', async () => {
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], {
    input: readFileSync(new URL('manifests/web.yaml', import.meta.url), 'utf8'),
  })
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
  expect(await kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].spec.nodeName}')).toBe(
    'worker-1',
  )
  const address = await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
  const curl = (url: string): Promise<string> => lab.run('master-1', ['curl', '-sS', '--max-time', '5', url])
  await eventually(
    () => curl(`http://${address}/health`),
    (body) => body === 'OK',
    30_000,
  )
  // The machine itself asks no resolver; this command alone asks the cluster's.
  const asCluster =
    'echo nameserver 10.96.0.10 > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf; exec curl -sS --max-time 5 "$1"'
  const byName = await lab.run('master-1', [
    'unshare',
    '--mount',
    'sh',
    '-c',
    asCluster,
    'sh',
    'http://web.default.svc.cluster.local/health',
  ])
  expect(byName).toBe('OK')
})

test('kubectl logs and exec reach a Pod on the worker', async () => {
  expect(await kubectl('logs', 'deployment/web')).toContain('CoreDNS-1.12.0')
  expect(await kubectl('exec', 'deployment/web', '--', '/coredns', '-version')).toContain('CoreDNS-1.12.0')
})

test('token create, list and delete do what kubeadm does', async () => {
  const edgeadm = (...args: string[]): Promise<string> => lab.run('master-1', ['edgeadm', 'token', ...args])
  const token = (await edgeadm('create', '--ttl', '15m', '--description', 'site 7')).trim()
  expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)
  expect(await edgeadm('list')).toMatch(new RegExp(`${token}\\s+1[45]m`))
  await edgeadm('delete', token)
  expect(await edgeadm('list')).not.toContain(token)
  const mixed = ['edgeadm', 'token', 'create', '--config=/root/cluster.yaml', '--ttl=5m']
  expect((await lab.probe('master-1', mixed)).stderr).toContain('--ttl cannot be given beside --config')
  expect((await edgeadm('create', '--print-join-command')).trim()).toMatch(
    /^edgeadm join 10\.\S+:6443 --token \S+ --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}$/,
  )
})

const initPhase = (...args: string[]) => lab.probe('master-1', ['edgeadm', 'init', 'phase', ...args])

test('init phase certs/apiserver issues a further name beside those that the certificate has', async () => {
  const added = await initPhase('certs/apiserver', '--apiserver-cert-extra-sans', 'api.example')
  expect(added.exitCode, added.stderr).toBe(0)
  const file = '/etc/kubernetes/pki/apiserver.crt'
  const names = new X509Certificate(await lab.run('master-1', ['cat', file])).subjectAltName ?? ''
  for (const name of ['api.example', 'kubernetes.default.svc.cluster.local', '10.96.0.1'])
    expect(names).toContain(name)
  const ask = ['--connect-to', 'api.example:6443:127.0.0.1:6443', 'https://api.example:6443/readyz']
  await eventually(
    () => lab.run('master-1', ['curl', '-sS', '--cacert', '/etc/kubernetes/pki/ca.crt', ...ask]),
    (body) => body === 'ok',
    120_000,
  )
})

test('init phase upload-certs prints a key that decrypts what it uploaded', async () => {
  const { exitCode, stdout, stderr } = await initPhase('upload-certs', '--upload-certs')
  expect(exitCode, stderr).toBe(0)
  expect(stdout.trim()).toMatch(/^[0-9a-f]{64}$/)
  const secret = await kubectl('get', 'secret', 'kubeadm-certs', '-n', 'kube-system', '-o', 'json')
  expect(canDecrypt(JSON.parse(secret) as CertificatesSecret, stdout.trim())).toBe(true)
})

test('init phase bootstrap-token makes the token that it is given', async () => {
  const { exitCode, stdout, stderr } = await initPhase('bootstrap-token', '--token=phased.0123456789abcdef')
  expect(exitCode, stderr).toBe(0)
  expect(stdout.trim()).toBe('phased.0123456789abcdef')
  expect(await lab.run('master-1', ['edgeadm', 'token', 'list'])).toContain('phased.0123456789abcdef')
})

test('a phase alone cannot change what the machine was set up with', async () => {
  const refused = await initPhase('addon/coredns', '--service-cidr=10.112.0.0/16')
  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('--service-cidr was 10.96.0.0/12 and is now 10.112.0.0/16')
})

test('without a package: with the programs of a distribution, and a phase alone before any init', async () => {
  const on = (script: string) => lab.run('master-2', ['sh', '-ec', script])
  // The package's parts stand in for those of a distribution: programs in /usr/bin, units in /usr/lib, images in containerd.
  for (const name of ['runtime/containerd', 'cni/plugins', 'runtime/images', 'kubernetes/kubelet'])
    await lab.run('master-2', ['edgeadm', 'init', 'phase', name, ...WITH_PACKAGE])
  await on(`cd /usr/local/bin; systemctl disable -q --now containerd kubelet
    mv kubeadm kubelet kubectl containerd containerd-shim-runc-v2 ctr /usr/bin/
    mv /etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service* /usr/lib/systemd/system/
    sed -i 's|/usr/local/bin|/usr/bin|g' /usr/lib/systemd/system/containerd.service \
      /usr/lib/systemd/system/kubelet.service /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
    rm -rf /var/lib/edgeadm; systemctl daemon-reload; systemctl enable -q --now containerd`)

  const phase = await lab.probe('master-2', ['edgeadm', 'init', 'phase', 'certs', 'ca'])
  expect(phase.exitCode, phase.stderr).toBe(0)
  await on('test -e /etc/kubernetes/pki/ca.key; test ! -e /etc/kubernetes/pki/apiserver.crt')

  const config = ['--config=/root/cluster.yaml', '--cni=none', '--enable-edge=false']
  const init = await lab.probe('master-2', ['edgeadm', 'init', ...config])
  expect(init.exitCode, init.stderr).toBe(0)
  expect(await on('kubectl get nodes -o name')).toContain('node/master-2')
  const reset = await lab.probe('master-2', ['edgeadm', 'reset', '--force'])
  expect(reset.exitCode, reset.stderr).toBe(0)
  await on('kubeadm version; test ! -e /etc/kubernetes/admin.conf; systemctl is-active containerd')
})

test('secrets are in no log and in no file that others can read', async () => {
  const token = joinLine[4] ?? ''
  const [id, secret] = token.split('.')
  expect(id).toHaveLength(6)
  const found = await lab.probe('master-1', [
    'grep',
    '-rlF',
    secret ?? '',
    '/var/log',
    '/etc',
    '/run/edgeadm',
    '/tmp',
    '/var/lib/edgeadm',
  ])
  // A worker joins nobody else: it does not even keep the token in its own folder.
  expect((await lab.probe('worker-1', ['grep', '-rF', secret ?? '', '/var/lib/edgeadm'])).stdout).toBe('')
  const readable = found.stdout
    .split('\n')
    .filter((path) => path !== '' && path !== '/var/lib/edgeadm/kubeadm.yaml')
  expect(readable).toEqual([])
  expect((await lab.run('master-1', ['stat', '-c', '%a', '/var/lib/edgeadm/kubeadm.yaml'])).trim()).toBe(
    '600',
  )
})

test('init again on the finished master changes nothing and prints the same join line', async () => {
  const before = await lab.run('master-1', [
    'sha256sum',
    '/etc/kubernetes/admin.conf',
    '/etc/kubernetes/manifests/etcd.yaml',
  ])
  const again = await lab.run('master-1', ['edgeadm', 'init', ...WITH_PACKAGE])
  expect(again).toContain(joinLine.join(' '))
  expect(
    await lab.run('master-1', [
      'sha256sum',
      '/etc/kubernetes/admin.conf',
      '/etc/kubernetes/manifests/etcd.yaml',
    ]),
  ).toBe(before)
})
