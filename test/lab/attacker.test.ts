/**
 * Attempts of somebody who has root on edge-1 and wants more than edge-1. Each is refused by the cloud side, whatever the
 * machine's own edgecore does. A new attempt is a line in one of the tables.
 */

import { describe, expect, test } from 'vitest'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { attacksFrom, servingRequest } from './attacks-from-edge.ts'
import { giveCertificate } from './edge-certificates.ts'
import { edgeLab, MASTER, WITH_PACKAGE } from './edge-lab.ts'
import { eventually } from './eventually.ts'
import { gatewayCases } from './gateway-cases.ts'
import { useLab } from './machines.ts'

let joinLine: string[] = []
const lab = useLab({
  masters: 1,
  edges: 2,
  executable: EXECUTABLE,
  package: PACKAGE,
  prepare: async () => {
    joinLine = await init('--require-contained')
    await Promise.all([join('edge-1', joinLine), join('edge-2', joinLine)])
  },
})
const { kubectl, init, join } = edgeLab(lab)
const { api, certificate, curlOf, webSocket, post } = attacksFrom(lab, 'edge-1')

const EDGE = '10.123.0.101'
const as = (node: string) => [
  ...[`--as=system:node:${node}`, '--as-group=system:nodes', '--as-group=system:authenticated'],
]
const AS_EDGE = as('edge-1')
const AS_CLOUDCORE = [
  '--as=system:serviceaccount:kubeedge:cloudcore',
  '--as-group=system:serviceaccounts',
  '--as-group=system:authenticated',
]

const identity = (node: string) => `/O=system:nodes/CN=system:node:${node}`
const HUB = `https://${MASTER}:10000/e632aba927ea4ac2b575ec1603d56f10/node/events`
const TUNNEL = `https://${MASTER}:10004/v1/kubeedge/connect`
const hub = (node: string, certificates?: string) => webSocket(HUB, [`node_id: ${node}`], certificates)
const tunnel = (node: string, address: string, certificates?: string) =>
  webSocket(TUNNEL, [`SessionHostNameOverride: ${node}`, `SessionInternalIP: ${address}`], certificates)

/** KubeEdge's join token: what an edge token (`token create --edge`) holds. */
async function joinToken(): Promise<string> {
  const data = await kubectl(
    '-n',
    'kubeedge',
    'get',
    'secret',
    'tokensecret',
    '-o=jsonpath={.data.tokendata}',
  )
  return Buffer.from(data, 'base64').toString('utf8').split('.').slice(1).join('.')
}

/** A fresh bootstrap token, of `token create`'s default group or another. */
const bootstrapToken = async (...flags: string[]) =>
  (await lab.run('master-1', ['edgeadm', 'token', 'create', '--ttl=10m', ...flags])).trim()

/** Says of itself that it needs no signature, and that it never expires. */
const forgedToken = () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ exp: 4_000_000_000 })}.`
}

test('edge-1 renews its own certificate, and gets its own identity alone', async () => {
  const answer = await certificate({ subject: identity('edge-1'), node: 'edge-1' })
  expect(answer).toMatch(/^200 subject=O ?= ?system:nodes, CN ?= ?system:node:edge-1/)
  expect(answer).toContain('TLS Web Client Authentication')
  expect(answer).not.toMatch(/Server Authentication|Subject Alternative Name/)
})

const own = { subject: identity('edge-1'), node: 'edge-1' }
test.each([
  ["a master's name", { ...own, subject: identity('master-1') }],
  [
    "a master's name, with the usages of a server",
    { ...own, subject: identity('master-1'), headers: ['ExtKeyUsages: [1,2]'] },
  ],
  ["a master's name, in the header too", { subject: identity('master-1'), node: 'master-1' }],
  ["another edge node's name", { ...own, subject: identity('edge-2') }],
  ["another edge node's name, in the header too", { subject: identity('edge-2'), node: 'edge-2' }],
  ['a name that nobody has', { subject: identity('edge-9'), node: 'edge-9' }],
  ["the administrators' group", { ...own, subject: '/O=system:masters/CN=system:node:edge-1' }],
  ['a second group', { ...own, subject: '/O=system:nodes/O=system:masters/CN=system:node:edge-1' }],
  ['the usages of a server', { ...own, headers: ['ExtKeyUsages: [1,2]'] }],
  ["CloudCore's address", { ...own, names: `IP:${MASTER}` }],
  ['a name in DNS', { ...own, names: 'DNS:kubernetes' }],
  ['a weak key', { ...own, key: ['rsa:1024'] }],
])('with its own certificate edge-1 gets none for %s', async (_, attack) => {
  expect(await certificate(attack)).toMatch(/^40[013] /)
})

test.each([
  ["an existing edge node's name", 'edge-2', joinToken],
  ["an existing edge node's name, with a bootstrap token", 'edge-2', bootstrapToken],
  [
    'a new name, with a bootstrap token of another group',
    'edge-9',
    () => bootstrapToken('--groups=system:bootstrappers:other'),
  ],
  ['a new name, with a bootstrap token that nobody made', 'edge-9', async () => 'abcdef.0123456789abcdef'],
  ["a master's name", 'master-1', joinToken],
  ['no name for a node', 'Edge_2', joinToken],
  ['a new name, with a token that it wrote itself', 'edge-9', async () => forgedToken()],
])('with a token it gets none for %s', async (_, node, token) => {
  expect(await certificate({ subject: identity(node), node, token: await token() })).toMatch(/^40[013] /)
})

test('a bootstrap token joins an edge node as long as it lives, and gives nothing that outlives it', async () => {
  const token = await bootstrapToken()
  const attack = { subject: identity('edge-9'), node: 'edge-9', token }
  expect(await certificate(attack)).toMatch(/^200 subject=O ?= ?system:nodes, CN ?= ?system:node:edge-9/)
  const ask = (path: string) => api(`https://${MASTER}:6443${path}`, token)
  expect(await ask('/api/v1/namespaces/kubeedge/configmaps/edgeadm-edge')).toBe('200')
  expect(await ask('/api/v1/namespaces/kubeedge/secrets/tokensecret')).toBe('403')
  expect(await ask('/api/v1/namespaces/kubeedge/secrets')).toBe('403')
  await lab.run('master-1', ['edgeadm', 'token', 'delete', token.split('.')[0] ?? ''])
  await eventually(
    () => certificate(attack),
    (answer) => answer.startsWith('401 '),
    15_000,
  )
})

describe('through CloudCore, with its certificate and no token', () => {
  const ask = (path: string) => curlOf(`https://${MASTER}:10002/edgeadm/api${path}`)

  test.each(['pods', 'nodes', 'secrets', 'configmaps', 'services'])(
    'edge-1, whose MetaServer is secure, reads no %s',
    async (kind) => {
      expect(await ask(`/api/v1/${kind}`)).toBe('403')
    },
  )

  test('it reads what everybody may', async () => {
    expect(await ask('/version')).toBe('200')
    expect(await ask('/apis')).toBe('200')
  })

  test('it cannot make its MetaServer a plain one', async () => {
    const asEdge = ['--as=system:node:edge-1', '--as-group=system:nodes', '--as-group=system:authenticated']
    const label = ['label', 'node', 'edge-1', 'edgeadm.io/metaserver=plain', '--overwrite']
    const { stderr } = await lab.probe('master-1', ['kubectl', ...asEdge, ...label])
    expect(stderr).toContain('a node does not change its label edgeadm.io/metaserver')
    await kubectl(...label)
    await eventually(
      () => ask('/api/v1/services'),
      (status) => status === '200',
      10_000,
    )
    expect(await ask('/api/v1/secrets')).toBe('403')
    await kubectl(...label.with(3, 'edgeadm.io/metaserver=secure'))
  })
})

gatewayCases(lab)

test('check security finds nothing open, and each hole that somebody makes', async () => {
  const check = async () => {
    const { exitCode, stdout } = await lab.probe('master-1', ['edgeadm', 'check', 'security'])
    return { exitCode, open: stdout.split('\n').filter((line) => line.includes('OPEN')) }
  }
  expect(await check()).toEqual({ exitCode: 0, open: [] })
  const bind = ['create', 'clusterrolebinding', 'hole', '--clusterrole=view', '--group=system:nodes']
  await kubectl(...bind)
  await kubectl('delete', 'validatingadmissionpolicybinding', 'edgeadm-metaserver-mode')
  const { exitCode, open } = await check()
  expect(exitCode).toBe(3)
  expect(open.join('\n')).toMatch(/edge-1 may list pods/)
  expect(open.join('\n')).toMatch(/edgeadm-metaserver-mode has no binding that denies/)
  await kubectl('delete', 'clusterrolebinding', 'hole')
  await lab.run('master-1', ['edgeadm', 'init', 'phase', 'edge/custom-resources', ...WITH_PACKAGE])
  expect(await check()).toEqual({ exitCode: 0, open: [] })
})

test.each([
  ['the hub as another edge node', () => hub('edge-2')],
  ['the hub as a master', () => hub('master-1')],
  ['the hub without a name', () => hub('')],
  ['the tunnel as another edge node', () => tunnel('edge-2', '10.123.0.99')],
  ['the tunnel as a master', () => tunnel('master-1', MASTER)],
  ["the tunnel with another node's name as its address", () => tunnel('edge-1', 'edge-2')],
])('%s is closed to it', async (_, attempt) => {
  expect(await attempt()).not.toContain('stands')
})

test('under its own name it uses both', async () => {
  expect(await hub('edge-1')).toContain('stands')
  // Until edgecore, whose tunnel ended with this one's beginning, takes its place back.
  expect(await tunnel('edge-1', '10.123.0.99')).toMatch(/^101 /)
})

test("a master's certificate that was got earlier opens nothing either", async () => {
  // From a time without these checks, or for a name that only later became a master's.
  await giveCertificate(lab, 'edge-1', { node: 'master-1', folder: '/root/master', days: 30 })
  expect(await hub('master-1', '/root/master')).not.toContain('stands')
  expect(await tunnel('master-1', MASTER, '/root/master')).not.toContain('stands')
  const renewal = { subject: identity('master-1'), node: 'master-1', certificates: '/root/master' }
  expect(await certificate(renewal)).toMatch(/^401 /)
})

test.each([
  ['label', ['label', 'node', 'edge-1', 'node-role.kubernetes.io/control-plane=']],
  ['label for what is isolated', ['label', 'node', 'edge-1', 'node-restriction.kubernetes.io/x=y']],
  ['API server', ['annotate', 'node', 'edge-1', `edgeadm.io/api-server=${EDGE}:6443`]],
  ['taint', ['taint', 'node', 'edge-1', 'node-role.kubernetes.io/control-plane:NoSchedule']],
])("neither the node itself nor CloudCore gives it a master's %s", async (_, change) => {
  for (const asSomebody of [AS_EDGE, AS_CLOUDCORE]) {
    const { exitCode, stderr } = await lab.probe('master-1', ['kubectl', ...asSomebody, ...change])
    expect(exitCode, stderr).toBe(1)
    expect(stderr).toMatch(/edgeadm-nodes|is not allowed to modify|Forbidden/)
  }
})

test('CloudCore changes no Node of a master, and goes on with those of edge nodes', async () => {
  const label = (node: string) => ['kubectl', ...AS_CLOUDCORE, 'label', 'node', node, 'example.org/x=y']
  const refused = await lab.probe('master-1', label('master-1'))
  expect(refused.stderr).toContain('CloudCore changes no Node of a master')
  await lab.run('master-1', label('edge-1'))
})

test('the record of the masters is for administrators alone', async () => {
  const record = (name: string) => [
    'create',
    'configmap',
    '-n',
    'kube-system',
    name,
    '--from-literal=node=edge-1',
  ]
  const cloudCore = await lab.probe('master-1', [
    'kubectl',
    ...AS_CLOUDCORE,
    ...record('edgeadm-master-edge-1'),
  ])
  expect(cloudCore.stderr).toContain('is forbidden')
  // Somebody who may write ConfigMaps there, but not give rights.
  const writer = ['-n', 'kube-system', 'writer']
  await kubectl('create', 'role', ...writer, '--verb=*', '--resource=configmaps')
  await kubectl('create', 'rolebinding', ...writer, '--role=writer', '--user=writer')
  try {
    await kubectl('--as=writer', ...record('other'))
    await kubectl('--as=writer', 'delete', 'configmap', '-n', 'kube-system', 'other')
    for (const attempt of [
      record('edgeadm-master-edge-1'),
      ['delete', 'configmap', '-n', 'kube-system', 'edgeadm-master-master-1'],
      ['delete', 'configmap', '-n', 'kube-system', '-l', 'edgeadm.io/master'],
      ['label', 'configmap', '-n', 'kube-system', 'kubeadm-config', 'edgeadm.io/master='],
    ]) {
      const { stderr } = await lab.probe('master-1', ['kubectl', '--as=writer', ...attempt])
      expect(stderr, attempt.join(' ')).toContain('only an administrator of the cluster')
    }
  } finally {
    await kubectl('delete', 'role,rolebinding', ...writer)
  }
  expect(await kubectl('get', 'configmap', '-n', 'kube-system', '-l=edgeadm.io/master', '-o=name')).toBe(
    'configmap/edgeadm-master-master-1',
  )
})

async function restartTunnelManager(): Promise<void> {
  await kubectl('-n', 'kubeedge', 'rollout', 'restart', 'daemonset/cloud-iptables-manager')
  await kubectl('-n', 'kubeedge', 'rollout', 'status', 'daemonset/cloud-iptables-manager', '--timeout=90s')
}

/** What runs on masters for the cloud side. */
const mastersPodsOn = async (node: string) => {
  const args = ['-n', 'kubeedge', 'get', 'pods', `--field-selector=spec.nodeName=${node}`, '-o=name']
  return (await kubectl(...args)).split('\n').filter((name) => /cloudcore|iptables/.test(name))
}

test('even with the label, which only an administrator can give, nothing that runs on masters comes to it', async () => {
  const label = 'node-role.kubernetes.io/control-plane'
  const image = await kubectl(
    ...['-n', 'kubeedge', 'get', 'daemonset', 'edge-check', '-o'],
    'jsonpath={.spec.template.spec.containers[0].image}',
  )
  const app = { app: 'by-label' }
  const byLabel = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'by-label', namespace: 'default' },
    spec: {
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: {
          nodeSelector: { [label]: '' },
          tolerations: [{ operator: 'Exists' }],
          containers: [{ name: 'sleep', image, imagePullPolicy: 'IfNotPresent' }],
        },
      },
    },
  }
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], { input: JSON.stringify(byLabel) })
  await kubectl('label', 'node', 'edge-1', `${label}=`)
  try {
    // What goes by the label comes, so what does not has been considered.
    await eventually(
      () => kubectl('get', 'pods', '-l=app=by-label', '--field-selector=spec.nodeName=edge-1', '-o=name'),
      (text) => text !== '',
      30_000,
    )
    await restartTunnelManager()
    expect(await mastersPodsOn('edge-1')).toEqual([])
  } finally {
    await kubectl('label', 'node', 'edge-1', `${label}-`)
    await kubectl('delete', 'daemonset', 'by-label')
  }
})

/** HTTP status of CloudCore's port for API servers, which runs commands in edge nodes' Pods; 000: no connection. */
const streamPort = async (machine: string, ...words: readonly string[]) => {
  const path = '/exec/kubeedge/edge-check/sleep?command=id&output=1'
  const ask = ['curl', '-sk', '--max-time', '5', '-o', '/dev/null', '-w', '%{http_code}', ...words]
  return (await lab.probe(machine, [...ask, `https://${MASTER}:10003${path}`])).stdout
}
const PKI = '/etc/kubernetes/pki'
const withCertificate = (certificate: string, key: string) => ['--cert', certificate, '--key', key]

test('the port that runs commands in Pods of edge nodes serves those who may use the API of nodes', async () => {
  expect(await streamPort('master-1')).toBe('401')
  await giveCertificate(lab, 'master-1', { node: 'edge-1', folder: '/root/edge-1', days: 30 })
  const edges = withCertificate('/root/edge-1/server.crt', '/root/edge-1/server.key')
  expect(await streamPort('master-1', ...edges)).toBe('401')
  const kubelet = '/var/lib/kubelet/pki/kubelet-client-current.pem'
  expect(await streamPort('master-1', ...withCertificate(kubelet, kubelet))).toBe('403')
  const token = (await kubectl('-n', 'kubeedge', 'create', 'token', 'edge-check')).trim()
  expect(await streamPort('master-1', '-H', `Authorization: Bearer ${token}`)).toBe('403')
  expect(await streamPort('master-1', '-H', 'Authorization: Bearer x.y.z')).toBe('401')
  const apiServers = withCertificate(
    `${PKI}/apiserver-kubelet-client.crt`,
    `${PKI}/apiserver-kubelet-client.key`,
  )
  expect(await streamPort('master-1', ...apiServers)).not.toMatch(/^(000|401|403)$/)
  // An attempt above used edge-1's own certificate for another tunnel: edgecore has opened its own again since.
  const stats = () =>
    lab.probe('master-1', ['kubectl', 'get', '--raw', '/api/v1/nodes/edge-1/proxy/stats/summary'])
  await eventually(stats, ({ stdout }) => /"nodeName":\s*"edge-1"/.test(stdout), 60_000)
})

test('nor does it serve others when all rules of the firewall are gone', async () => {
  expect(await streamPort('edge-1')).toBe('000')
  await lab.run('master-1', ['nft', 'flush', 'ruleset'])
  try {
    expect(await streamPort('edge-1')).toBe('401')
    const own = withCertificate('/etc/kubeedge/certs/server.crt', '/etc/kubeedge/certs/server.key')
    expect(await streamPort('edge-1', ...own)).toBe('401')
  } finally {
    await restartTunnelManager()
  }
  expect(await streamPort('edge-1')).toBe('000')
})

test('reports of tasks need the certificate of their node', async () => {
  expect(await post('/task/upgrade/name/x/node/edge-2/status', {})).toBe('401')
  expect(await post('/nodeupgrade', {})).toBe('401')
})

/** A certificate request of an edge node, with these names in it. */
async function ask(name: string, names: string, node = 'edge-1'): Promise<void> {
  const input = JSON.stringify(await servingRequest(lab, name, node, names))
  await lab.run('master-1', ['kubectl', ...as(node), 'create', '-f', '-'], { input })
}
const conditions = (name: string) => kubectl('get', 'csr', name, '-o=jsonpath={.status.conditions[*].type}')
const isApproved = (name: string) =>
  eventually(
    () => conditions(name),
    (text) => text.includes('Approved'),
    // kube-proxy makes its rules anew within half a minute where somebody took all away.
    90_000,
  )

test('a serving certificate is approved for the addresses of MetaServer alone', async () => {
  await ask('of-the-api', `IP:127.0.0.1,IP:${MASTER}`)
  await ask('of-a-name', 'IP:127.0.0.1,DNS:kubernetes')
  // CloudCore takes requests in their order.
  await ask('of-metaserver', 'IP:127.0.0.1,IP:169.254.30.10')
  await isApproved('of-metaserver')
  expect(await conditions('of-the-api')).toBe('')
  expect(await conditions('of-a-name')).toBe('')
})

test('a certificate that was asked for before the node registered is approved after it', async () => {
  await lab.run('edge-2', ['systemctl', 'stop', 'edgecore'])
  await kubectl('delete', 'node', 'edge-2')
  await ask('before-its-node', 'IP:127.0.0.1,IP:169.254.30.10', 'edge-2')
  await lab.run('edge-2', ['systemctl', 'start', 'edgecore'])
  await isApproved('before-its-node')
})

test('a node that was removed is out at once, with all that it kept, and joins again under its name', async () => {
  const folder = '/root/stolen'
  await lab.run('edge-2', [
    'sh',
    '-c',
    'tar -C /etc/kubeedge/certs -cf /root/stolen.tar server.crt server.key',
  ])
  const stolen = await lab.run('edge-2', ['base64', '-w0', '/root/stolen.tar'])
  await lab.run('edge-1', ['sh', '-c', `mkdir -p ${folder} && base64 -d | tar -xC ${folder}`], {
    input: stolen,
  })
  const renewal = { subject: identity('edge-2'), node: 'edge-2', certificates: folder }
  expect(await certificate(renewal)).toMatch(/^200 /)

  await lab.run('master-1', ['edgeadm', 'reset', '--remove-node', 'edge-2', '--force'])
  // edgecore runs on, and has lost its connection.
  await lab.run('edge-2', [
    'sh',
    '-c',
    'timeout 30 sh -c "while ss -tnH state established dport = :10000 | grep -q .; do sleep 0.2; done"',
  ])
  await eventually(
    () => certificate(renewal),
    (answer) => answer.startsWith('401 '),
    10_000,
  )
  expect(await hub('edge-2', folder)).not.toContain('stands')
  expect(await tunnel('edge-2', '10.123.0.99', folder)).not.toContain('stands')
  expect(await kubectl('get', 'nodes', '-o=name')).not.toContain('edge-2')

  await lab.run('edge-2', ['edgeadm', 'reset', '--force'])
  await join('edge-2', joinLine)
  await kubectl('wait', '--for=condition=Ready', 'node/edge-2', '--timeout=60s')
  expect(await certificate(renewal)).toMatch(/^401 /)
})
