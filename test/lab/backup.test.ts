/** The life of a cluster's certificates and data: what ends is renewed, what is lost comes back. A master, a worker, an edge node. */

import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { edgeLab, WITH_PACKAGE } from './edge-lab.ts'
import { eventually } from './eventually.ts'
import { useLab } from './machines.ts'

const lab = useLab({
  masters: 1,
  workers: 1,
  edges: 1,
  executable: EXECUTABLE,
  package: PACKAGE,
  prepare: async () => {
    const line = await init()
    await join('worker-1', [...line, '--enable-edge=false'])
    await join('edge-1', [...line, '--metaserver=plain'])
  },
})
const { kubectl, init, join, servicesOn } = edgeLab(lab)
const NODES = ['master-1', 'worker-1', 'edge-1']
const PKI = '/etc/kubernetes/pki'
let backup = ''

interface Result {
  readonly type: string
  readonly data: unknown
}

/** The result's data of a command that is run with `-o json`, whatever its exit code. */
async function ask<T>(
  machine: string,
  args: readonly string[],
): Promise<{ exitCode: number; data: T; error: string }> {
  const { exitCode, stdout } = await lab.probe(machine, ['edgeadm', ...args, '-o', 'json'])
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Result]))
  const error = events.find(({ type }) => type === 'error') as unknown as { message: string } | undefined
  return {
    exitCode,
    data: events.find(({ type }) => type === 'result')?.data as T,
    error: error?.message ?? '',
  }
}

/** Of what the API server shows, not of a file. */
async function servedSerial(): Promise<string> {
  const shown =
    'openssl s_client -connect 127.0.0.1:6443 </dev/null 2>/dev/null | openssl x509 -noout -serial'
  return (await lab.run('master-1', ['sh', '-c', shown])).trim().replace('serial=', '')
}

let asked = 0

/** All nodes renew their leases again, the edge node too, and what is new in the cloud reaches the edge node. */
async function allComeBack(): Promise<void> {
  const now = Date.now()
  const leases = ['-n', 'kube-node-lease', 'get', 'leases', ...NODES]
  await eventually(
    () => kubectl(...leases, '-o', 'jsonpath={.items[*].spec.renewTime}'),
    (times) => times.split(' ').every((time) => Date.parse(time) > now),
    180_000,
  )
  await kubectl('wait', '--for=condition=Ready', ...NODES.map((name) => `node/${name}`), '--timeout=120s')
  asked += 1
  const name = `reaches-the-edge-${asked}`
  await kubectl('create', 'service', 'clusterip', name, '--tcp=80:80')
  await eventually(
    () => servicesOn('edge-1'),
    (names) => names.includes(name),
    180_000,
  )
  const check = await lab.probe('edge-1', ['edgeadm', 'check', 'edge'])
  expect(check.exitCode, check.stdout).toBe(0)
}

interface Certificates {
  readonly certificates: readonly {
    readonly name: string
    readonly node?: string
    readonly level: string
    readonly serial: string
  }[]
}

describe('certificates', () => {
  test('a new cluster has none that ends soon, and other nodes are seen through what they show', async () => {
    const { exitCode, data } = await ask<Certificates>('master-1', ['certs', 'status'])
    expect(exitCode).toBe(0)
    const names = data.certificates.map(({ name, node }) => `${name} ${node}`)
    for (const name of [
      'apiserver',
      'etcd-server',
      'etcd-peer',
      'admin.conf',
      'kubelet-client',
      'front-proxy-ca',
    ])
      expect(names).toContain(`${name} master-1`)
    expect(names).toContain('kubelet-server worker-1')
    expect((await ask<Certificates>('worker-1', ['certs', 'status'])).exitCode).toBe(0)
  })

  test('what is good is renewed as well: the API server shows the new one, and root has it, too', async () => {
    const before = await servedSerial()
    const adminConf = await lab.run('master-1', ['cat', '/etc/kubernetes/admin.conf'])
    const renewed = await lab.probe('master-1', ['edgeadm', 'certs', 'renew'])
    expect(renewed.exitCode, renewed.stderr).toBe(0)
    const serial = await servedSerial()
    expect(serial).not.toBe(before)
    const { exitCode, data } = await ask<Certificates>('master-1', ['certs', 'status'])
    expect(exitCode).toBe(0)
    expect(data.certificates.find(({ name }) => name === 'apiserver')?.serial).toBe(serial)
    const now = await lab.run('master-1', ['cat', '/etc/kubernetes/admin.conf'])
    expect(now).not.toBe(adminConf)
    expect(await lab.run('master-1', ['cat', '/root/.kube/config'])).toBe(now)
    await allComeBack()
  })

  test("CloudCore's are renewed by name, and the edge node is connected again", async () => {
    const serialOf = async () => {
      const { data } = await ask<Certificates>('master-1', ['certs', 'status'])
      return data.certificates.find(({ name }) => name === 'cloudcore-server')?.serial
    }
    const before = await serialOf()
    expect(before).toBeDefined()
    const renewed = await lab.probe('master-1', ['edgeadm', 'certs', 'renew', 'cloudcore-server'])
    expect(renewed.exitCode, renewed.stderr).toBe(0)
    expect(await serialOf()).not.toBe(before)
    await allComeBack()
  })

  test('all that ended is renewed, the kubelet of a machine that was off included', async () => {
    // kubeadm itself makes certificates that live a minute; then nothing works any more.
    const config = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.33.13
certificateValidityPeriod: 1m0s
`
    await lab.run('master-1', ['sh', '-c', 'cat >/root/short.yaml'], { input: config })
    await lab.run('master-1', ['kubeadm', 'certs', 'renew', 'all', '--config', '/root/short.yaml'])
    const shorten = [
      'set -e',
      'systemctl stop kubelet',
      'cp /etc/kubernetes/kubelet.conf /root/kubelet.conf',
      'rm /etc/kubernetes/kubelet.conf',
      'kubeadm init phase kubeconfig kubelet --config /root/short.yaml',
      'for field in certificate key; do sed -n "s/.*client-$field-data: //p" /etc/kubernetes/kubelet.conf | base64 -d; done >/root/short.pem',
      'cp /root/short.pem "$(readlink -f /var/lib/kubelet/pki/kubelet-client-current.pem)"',
      'cp /root/kubelet.conf /etc/kubernetes/kubelet.conf',
    ]
    await lab.run('master-1', ['sh', '-c', shorten.join('\n')])
    const ended = await eventually(
      () => ask<Certificates>('master-1', ['certs', 'status']),
      ({ data }) => data.certificates.filter(({ level }) => level === 'expired').length >= 11,
      90_000,
    )
    expect(ended.exitCode).toBe(13)
    expect(ended.error).toMatch(/certificates have ended/)
    // A kubelet that starts now refuses to run; so does what it would start.
    await lab.run('master-1', ['systemctl', 'start', '--no-block', 'kubelet'])
    const renewed = await lab.probe('master-1', ['edgeadm', 'certs', 'renew'])
    expect(renewed.stderr).not.toContain('error:')
    expect(renewed.exitCode).toBe(0)
    expect(renewed.stdout).toContain('kubelet-client')
    const after = await ask<Certificates>('master-1', ['certs', 'status'])
    expect(after.exitCode).toBe(0)
    expect(await kubectl('get', '--raw', '/readyz')).toBe('ok')
    await allComeBack()
    expect(after.data.certificates.find(({ name }) => name === 'apiserver')?.serial).toBe(
      await servedSerial(),
    )
    // What init copied for root works, too.
    expect(
      await lab.run('master-1', ['kubectl', '--kubeconfig=/root/.kube/config', 'get', '--raw=/readyz']),
    ).toBe('ok')
  })

  test("a worker's kubelet whose certificate ended gets another with a token", async () => {
    const config = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.33.13
certificateValidityPeriod: 1s
`
    await lab.run('master-1', ['sh', '-c', 'cat >/root/ended.yaml'], { input: config })
    const make = [
      ...['kubeadm', 'kubeconfig', 'user', '--client-name', 'system:node:worker-1', '--org', 'system:nodes'],
      ...['--config', '/root/ended.yaml', '--validity-period', '1s'],
    ]
    const kubeconfig = await lab.run('master-1', make)
    const field = (name: string) =>
      Buffer.from(new RegExp(`client-${name}-data: (\\S+)`).exec(kubeconfig)?.[1] ?? '', 'base64').toString()
    await lab.run(
      'worker-1',
      [
        'sh',
        '-c',
        'systemctl stop kubelet; cat >"$(readlink -f /var/lib/kubelet/pki/kubelet-client-current.pem)"; systemctl start --no-block kubelet',
      ],
      {
        input: `${field('certificate')}${field('key')}`,
      },
    )
    const refused = await lab.probe('worker-1', ['edgeadm', 'certs', 'renew'])
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('edgeadm certs renew kubelet-client --token TOKEN')
    const token = (await lab.run('master-1', ['edgeadm', 'token', 'create'])).trim()
    await lab.run('worker-1', ['edgeadm', 'certs', 'renew', 'kubelet-client', '--token', token])
    expect((await lab.probe('worker-1', ['ls', '/etc/kubernetes/bootstrap-kubelet.conf'])).exitCode).not.toBe(
      0,
    )
    await kubectl('wait', '--for=condition=Ready', 'node/worker-1', '--timeout=90s')
  })
})

test('a support bundle of a master holds none of its secrets', async () => {
  const script = `set -e
cd /root
echo "join failed: Authorization: Bearer seeded-bearer-0123456789, DB_PASSWORD=seeded-password" >/var/log/edgeadm/seeded.log
edgeadm support-bundle --output-file /root/bundle.tar.gz >/dev/null
rm -rf bundle; mkdir bundle; tar -C bundle -xzf bundle.tar.gz
{ echo seeded-bearer-0123456789; echo seeded-password
  for key in ${PKI}/*.key ${PKI}/etcd/*.key; do sed -n 2p "$key"; done
  sed -n 's/.*client-key-data: //p' /etc/kubernetes/*.conf | cut -c1-80
  sed -n 's/.*token: [a-z0-9]*\\.//p' /var/lib/edgeadm/kubeadm.yaml
} >secrets
wc -l <secrets
grep -rlFf secrets bundle || true
rm -r bundle bundle.tar.gz secrets /var/log/edgeadm/seeded.log`
  const [count, ...found] = (await lab.run('master-1', ['sh', '-c', script])).trim().split('\n')
  expect(Number(count)).toBeGreaterThan(12)
  expect(found).toEqual([])
})

describe('backup and restore', () => {
  test('a backup is made, listed, and proven by a restore that nobody else sees', async () => {
    await kubectl('create', 'configmap', 'before-backup', '--from-literal=a=b')
    const { exitCode, data } = await ask<{ path: string }>('master-1', ['backup', 'create', '--keep', '3'])
    expect(exitCode).toBe(0)
    backup = data.path
    expect(await lab.run('master-1', ['stat', '-c', '%a', backup])).toContain('600')
    expect(await lab.run('master-1', ['edgeadm', 'backup', 'list'])).toContain(backup)
    const verified = await lab.run('master-1', ['edgeadm', 'backup', 'verify', backup])
    expect(verified).toMatch(/can be restored: revision \d+, \d+ keys, hash \d+/)
    expect((await lab.probe('master-1', ['sh', '-c', 'mount | grep edgeadm-etcd'])).stdout).toBe('')
  })

  test('systemd makes encrypted ones, and metrics', async () => {
    const identity = await generateIdentity()
    const recipient = await identityToRecipient(identity)
    await lab.run(
      'master-1',
      ['sh', '-c', 'umask 077; cat >/root/key.txt; mkdir -p /var/lib/node_exporter'],
      {
        input: `${identity}\n`,
      },
    )
    await lab.run('master-1', ['edgeadm', 'backup', 'timer', '--age-recipient', recipient])
    await lab.run('master-1', ['edgeadm', 'status', 'timer'])
    const timers = ['edgeadm-backup.timer', 'edgeadm-status.timer']
    expect(await lab.run('master-1', ['systemctl', 'is-active', ...timers])).toBe('active\nactive')
    for (const unit of ['edgeadm-backup.service', 'edgeadm-status.service'])
      await lab.run('master-1', ['systemctl', 'start', unit])
    const list = await ask<{ backups: { path: string; encrypted: boolean }[] }>('master-1', [
      'backup',
      'list',
    ])
    const encrypted = list.data.backups.filter((one) => one.encrypted).map(({ path }) => path)
    expect(encrypted).toHaveLength(1)
    const verify = ['edgeadm', 'backup', 'verify', encrypted[0] ?? '']
    expect((await lab.probe('master-1', verify)).stderr).toContain('is encrypted')
    const withKey = [...verify, '--age-identity', '/root/key.txt']
    expect(await lab.run('master-1', withKey)).toMatch(/can be restored: revision \d+, \d+ keys/)
    const metrics = await lab.run('master-1', ['cat', '/var/lib/node_exporter/edgeadm.prom'])
    expect(metrics).toContain('edgeadm_node_ready{node="worker-1",role="worker"} 1')
    expect(metrics).toContain('edgeadm_last_backup_timestamp_seconds')
    // Nothing of it stays where others could look.
    const left =
      'ls -A /var/tmp | grep edgeadm-backup; ls -A /var/backups/edgeadm | grep making; stat -c %a /var/backups/edgeadm'
    expect(await lab.run('master-1', ['sh', '-c', left])).toBe('700')
  })

  test('what cannot be restored is refused in one sentence, and nothing is changed', async () => {
    const running = await lab.probe('master-1', ['edgeadm', 'restore', backup])
    expect(running.exitCode).toBe(3)
    expect(running.stderr).toContain('this cluster runs')
    await lab.run('master-1', ['sh', '-c', `head -c 100000 ${backup} >/root/short.tar.gz`])
    const short = await lab.probe('master-1', ['edgeadm', 'restore', '/root/short.tar.gz'])
    expect(short.exitCode).toBe(3)
    expect(short.stderr).toContain('is no whole backup')
    expect(await kubectl('get', '--raw', '/readyz')).toBe('ok')
  })

  test('the data of etcd are lost: the objects come back, and what came after the backup does not', async () => {
    await kubectl('create', 'configmap', 'after-backup', '--from-literal=a=b')
    const lose =
      'systemctl stop kubelet; for id in $(ctr -n k8s.io tasks list -q); do ctr -n k8s.io tasks kill -s SIGKILL $id 2>/dev/null; done; rm -rf /var/lib/etcd/member; systemctl start kubelet'
    await lab.run('master-1', ['sh', '-c', lose])
    const restored = await lab.probe('master-1', ['edgeadm', 'restore', backup])
    expect(restored.stderr).not.toContain('error:')
    expect(restored.exitCode).toBe(0)
    expect(await kubectl('get', 'configmap', 'before-backup', '-o', 'jsonpath={.data.a}')).toBe('b')
    expect((await lab.probe('master-1', ['kubectl', 'get', 'configmap', 'after-backup'])).stderr).toContain(
      'NotFound',
    )
    await allComeBack()
  })

  test('the machine is lost: the cluster comes back on a fresh one, and the other nodes are Ready without a hand on them', async () => {
    await lab.run('master-1', ['edgeadm', 'reset', '--force'])
    for (const path of [PKI, '/etc/systemd/system/edgeadm-backup.timer'])
      expect((await lab.probe('master-1', ['ls', path])).exitCode).not.toBe(0)
    const restored = await lab.probe('master-1', ['edgeadm', 'restore', backup, ...WITH_PACKAGE.slice(0, 1)])
    expect(restored.stderr).not.toContain('error:')
    expect(restored.exitCode).toBe(0)
    expect(await kubectl('get', 'configmap', 'before-backup', '-o', 'jsonpath={.data.a}')).toBe('b')
    await allComeBack()
    await lab.run('master-1', ['edgeadm', 'reset', '--force'])
    expect(await lab.run('master-1', ['ls', backup])).toContain(backup)
  })
})
