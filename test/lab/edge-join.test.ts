/** Machines become edge nodes: bad input, both ways to join, what is on the machine then; and EdgeMesh's objects. */

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { decodeTicket } from '../../src/kubeedge/edge-ticket.ts'
import { parseJoinToken } from '../../src/kubeedge/join-token.ts'
import { readPackageManifest, serializeManifest } from '../../src/package/index.ts'
import { tarOf } from '../package/synthetic.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { edgeLab, MASTER, WITH_PACKAGE } from './edge-lab.ts'
import { runEdgeadm } from './edgeadm-run.ts'
import { changesOf } from './machine-changes.ts'
import { reporting, useLab } from './machines.ts'
import { meshCases } from './mesh-cases.ts'

// The second master joins last of all.
const lab = useLab({ masters: 2, edges: 2, executable: EXECUTABLE, package: PACKAGE })
const { kubectl, init } = edgeLab(lab)
let joinLine: string[] = []

/** The beginning of a package without KubeEdge: enough for all that is asked before unpacking. */
async function putPackageWithoutEdge(machine: string): Promise<string> {
  const whole = await readPackageManifest(PACKAGE, reporting)
  const manifest = {
    ...whole,
    components: whole.components.filter(({ name }) => name !== 'kubeedge'),
    files: whole.files.filter(({ path }) => path !== 'bin/edgecore'),
    images: whole.images.filter(({ name }) => !/cloudcore|iptables-manager/.test(name)),
  }
  const path = '/run/without-edge.tar'
  const input = tarOf([{ path: 'manifest.json', content: serializeManifest(manifest), mode: 0o644 }])
  await lab.run(machine, ['sh', '-c', `cat >${path}`], { input })
  return path
}

test('init brings the cloud side up and prints one join line for every role', async () => {
  joinLine = await init(`--control-plane-endpoint=${MASTER}:6443`)
})

describe('bad input is refused with one sentence, and nothing is left on the machine', () => {
  const expectUntouched = async () => {
    expect(await changesOf(lab, 'edge-2')).toEqual([])
  }
  const token = () => joinLine.indexOf('--token') + 1
  const cases: readonly {
    what: string
    change: () => string[]
    package?: (machine: string) => Promise<string>
    exitCode: number
    says: RegExp
  }[] = [
    {
      what: 'CloudCore at an address where nobody is',
      change: () => [...joinLine, '--cloud-address=10.123.0.99'],
      exitCode: 6,
      says: /^CloudCore cannot be reached at 10\.123\.0\.99: port 10000 .*, port 10002 .*, port 10004 /,
    },
    {
      what: 'a cloud address that is not in the certificate',
      change: () => [...joinLine, '--cloud-address=master-1'],
      exitCode: 6,
      says: /^The certificate of CloudCore at master-1:10002 is not for this address/,
    },
    {
      what: 'a token that the cluster does not know',
      change: () => joinLine.with(token(), 'abcdef.0123456789abcdef'),
      exitCode: 6,
      says: /^The token with id abcdef has expired or is unknown/,
    },
    {
      what: "another live node's name",
      change: () => [...joinLine, '--node-name=master-1'],
      exitCode: 3,
      says: /^a node with the name "master-1" is in the cluster already, and Ready$/,
    },
    {
      what: 'a package without the edge parts',
      change: () => joinLine,
      package: putPackageWithoutEdge,
      exitCode: 4,
      says: /^the package has no edge parts \(KubeEdge\), so this machine cannot become an edge node$/,
    },
    {
      what: 'a name that no node can have',
      change: () => [...joinLine, '--node-name=edge_2'],
      exitCode: 2,
      says: /edge_2/,
    },
  ]
  test.each(cases)('$what', async ({ change, package: other, exitCode, says }) => {
    const flags = other === undefined ? WITH_PACKAGE : [`--install-pkg-path=${await other('edge-2')}`]
    const result = await runEdgeadm(lab, 'edge-2', [...change(), ...flags])
    expect(result.error?.message).toMatch(says)
    expect(result.exitCode).toBe(exitCode)
    await expectUntouched()
  })

  test('an edge token that has expired', async () => {
    const create = ['edgeadm', 'token', 'create', '--edge', '--ttl=1s', '--print-join-command']
    const line = (await lab.run('master-1', create)).trim().split(' ').slice(1)
    const { expires = 0 } = parseJoinToken(decodeTicket(line.at(-1) ?? '')?.token ?? '') ?? {}
    expect(expires).toBeGreaterThan(Date.now() - 60_000)
    await delay(Math.max(0, expires - Date.now()))
    const result = await runEdgeadm(lab, 'edge-2', [...line, ...WITH_PACKAGE])
    expect(result.error?.message).toBe(`the edge token expired at ${new Date(expires).toISOString()}`)
    expect(result.error?.fix).toMatch(/^`edgeadm token create --edge --print-join-command` on a master/)
    expect(result.exitCode).toBe(6)
    await expectUntouched()
  })

  test('a token for another role', async () => {
    const other = await lab.run('master-1', [
      'edgeadm',
      'token',
      'create',
      '--groups',
      'system:bootstrappers:other',
    ])
    const result = await runEdgeadm(lab, 'edge-2', [...joinLine.with(token(), other.trim()), ...WITH_PACKAGE])
    expect(result.error?.message).toMatch(/^this bootstrap token may not read what an edge node needs/)
  })
})

test('the printed line and the line for CloudCore alone make edge nodes: Ready, and MetaServer answers, when they end', async () => {
  const create = ['edgeadm', 'token', 'create', '--edge', '--ttl=15m', '--print-join-command']
  const edgeLine = (await lab.run('master-1', create)).split(' ')
  // This one cannot reach the API server.
  await lab.run('edge-2', ['iptables', '-I', 'OUTPUT', '-p', 'tcp', '--dport', '6443', '-j', 'REJECT'])
  const [secure, plain] = await Promise.all([
    lab.probe('edge-1', ['edgeadm', ...joinLine, ...WITH_PACKAGE]),
    lab.probe('edge-2', [...edgeLine, ...WITH_PACKAGE, '--metaserver=plain']),
  ])
  expect(secure.exitCode, secure.stderr).toBe(0)
  expect(plain.exitCode, plain.stderr).toBe(0)
  await kubectl('wait', '--for=condition=Ready', 'node/edge-2', '--timeout=60s')
  const nodes = await kubectl('get', 'nodes', '-l', 'node-role.kubernetes.io/edge', '--no-headers')
  expect(
    nodes
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).slice(0, 2)),
  ).toEqual([
    ['edge-1', 'Ready'],
    ['edge-2', 'Ready'],
  ])
  const pods = await kubectl(
    'get',
    'pods',
    '-A',
    '-o',
    'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name}{"\\n"}{end}',
  )
  expect(pods).not.toMatch(/^edge-\d (kube-proxy|kube-flannel)/m)
})

test("neither KubeEdge's token nor the bootstrap token is on an edge node, and the key is root's alone", async () => {
  const data = await kubectl(
    '-n',
    'kubeedge',
    'get',
    'secret',
    'tokensecret',
    '-o',
    'jsonpath={.data.tokendata}',
  )
  const jwt = Buffer.from(data, 'base64').toString('utf8').split('.').slice(1).join('.')
  const secrets = [jwt, joinLine[3]?.split('.')[1] ?? '']
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(15)
    const places = ['/etc', '/var/log', '/var/lib/edgeadm', '/var/lib/kubeedge', '/run/edgeadm', '/tmp']
    const found = await lab.probe('edge-1', ['grep', '-rlF', secret, ...places])
    expect(found.stdout).toBe('')
  }
  expect(
    await lab.run('edge-1', [
      'stat',
      '-c',
      '%a',
      '/etc/kubeedge/certs/server.key',
      '/etc/kubeedge',
      '/var/lib/kubeedge',
    ]),
  ).toBe('600\n700\n700')
})

test('check edge finds everything in order, in both modes', async () => {
  for (const machine of ['edge-1', 'edge-2']) {
    const result = await lab.probe(machine, ['edgeadm', 'check', 'edge'])
    expect(result.exitCode, result.stdout).toBe(0)
  }
})

test('only nodes and CloudCore can ask for a kubelet serving certificate', async () => {
  const request = [
    'openssl',
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    '/dev/null',
  ]
  const { stdout } = await lab.probe('master-1', [
    ...request,
    '-subj',
    '/O=system:nodes/CN=system:node:edge-1',
  ])
  const csr = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'impostor' },
    spec: {
      request: Buffer.from(stdout).toString('base64'),
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'server auth'],
    },
  }
  const result = await lab.probe('master-1', ['kubectl', 'create', '-f', '-'], { input: JSON.stringify(csr) })
  expect(result.stderr).toContain(
    'requests for kubelet serving certificates come from nodes or CloudCore only',
  )
})

meshCases(lab, () => joinLine)
