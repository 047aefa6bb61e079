/** Edge nodes: join, MetaServer in both modes, a life without the cloud, and back to a bare machine. */

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cutMachine, healMachine, killMachine, startMachine } from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { phasesDone, runEdgeadm } from './edgeadm-run.ts'
import { eventually } from './eventually.ts'
import { inClusterImage } from './in-cluster/image.ts'
import { reporting, useLab } from './machines.ts'
import { insideOf, meshObjects, meshPods, processOf, RELAYS } from './mesh-objects.ts'

const lab = useLab({ masters: 1, edges: 2, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const MASTER = '10.123.0.11'
const SERVICES = '/api/v1/services'

const kubectl = (...args: string[]): Promise<string> => lab.run('master-1', ['kubectl', ...args])
const curl = (machine: string, ...args: string[]): Promise<string> =>
  lab.run(machine, ['curl', '-sS', '--max-time', '15', ...args])

/** Names of services that the plain MetaServer on edge-2 lists. */
async function servicesOnEdge2(): Promise<string[]> {
  const list = JSON.parse(await curl('edge-2', `http://127.0.0.1:10550${SERVICES}`)) as {
    items: { metadata: { name: string } }[]
  }
  return list.items.map(({ metadata }) => metadata.name)
}

async function podOn(node: string): Promise<{ name: string; address: string }> {
  const selection = ['-l', 'app=in-cluster', `--field-selector=spec.nodeName=${node}`]
  const text = await kubectl(
    'get',
    'pods',
    ...selection,
    '-o',
    'jsonpath={.items[0].metadata.name} {.items[0].status.podIP}',
  )
  const [name = '', address = ''] = text.split(' ')
  return { name, address }
}

let joinLine: string[] = []

test('init brings the cloud side up and prints one join line for every role', async () => {
  const result = await lab.probe('master-1', ['edgeadm', 'init', ...WITH_PACKAGE])
  expect(result.exitCode, result.stderr).toBe(0)
  joinLine =
    /edgeadm (join \S+:6443 --token \S+ --discovery-token-ca-cert-hash \S+)/
      .exec(result.stdout)?.[1]
      ?.split(' ') ?? []
  expect(joinLine).toHaveLength(6)
})

describe('bad input is refused with one sentence, and nothing is left on the machine', () => {
  const token = () => joinLine.indexOf('--token') + 1
  const cases: readonly { what: string; change: () => string[]; exitCode: number; says: RegExp }[] = [
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
      says: /^CloudCore's certificate is not for the address master-1/,
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
      what: 'a name that no node can have',
      change: () => [...joinLine, '--node-name=edge_2'],
      exitCode: 2,
      says: /edge_2/,
    },
  ]
  test.each(cases)('$what', async ({ change, exitCode, says }) => {
    const result = await runEdgeadm(lab, 'edge-2', [...change(), ...WITH_PACKAGE])
    expect(result.error?.message).toMatch(says)
    expect(result.exitCode).toBe(exitCode)
    expect((await lab.probe('edge-2', ['test', '-e', '/var/lib/edgeadm/ledger.ndjson'])).exitCode).toBe(1)
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

describe("EdgeMesh's objects, with a program that only sleeps in its place", () => {
  test('are taken by the API server, and each node gets the Pod that fits', async () => {
    const jsonPath = 'jsonpath={.spec.template.spec.containers[0].image}'
    const image = await kubectl('-n', 'kubeedge', 'get', 'daemonset', 'edge-check', '-o', jsonPath)
    await lab.run('master-1', ['kubectl', 'apply', '--server-side', '-f', '-'], {
      input: meshObjects(image, 'edge-1'),
    })
    const pods = await eventually(
      () => meshPods(lab),
      (found) => found.length === 4 && found.every(({ phase }) => phase === 'Running'),
      120_000,
    )
    expect(pods.map(({ node, kind }) => [node, kind])).toEqual([
      ['edge-1', 'agent-edge-secure'],
      ['edge-1', 'gateway-edge-secure'],
      ['edge-2', 'agent-edge-plain'],
      ['master-1', 'agent-cloud'],
    ])
  })

  test('give them the key, the configuration, a token where it helps, and few rights', async () => {
    for (const pod of await meshPods(lab)) {
      const inside = await insideOf(lab, pod)
      const gateway = pod.kind.startsWith('gateway')
      expect(inside, pod.kind).toMatchObject({
        psk: true,
        pskMode: '400',
        noNewPrivileges: true,
        // NET_BIND_SERVICE alone, or with NET_ADMIN and NET_RAW: bits 10, 12 and 13.
        capabilities: gateway ? '0000000000000400' : '0000000000003400',
      })
      expect(inside.config).toContain(`relayNodes: ${JSON.stringify(RELAYS)}`)
      const server = { cloud: undefined, secure: 'https', plain: 'http' }[pod.kind.replace(/.*-/, '')]
      if (server === undefined) expect(inside.config).not.toContain('metaServer')
      else expect(inside.config).toContain(`server: ${server}://127.0.0.1:10550`)
      expect(inside.token === undefined, pod.kind).toBe(pod.kind === 'agent-edge-plain')
    }
  })

  test('start afresh when edgeadm starts edgecore afresh', async () => {
    const before = await meshPods(lab)
    const processes = async () =>
      Promise.all(before.filter(({ node }) => node === 'edge-1').map((pod) => processOf(lab, pod)))
    const old = await processes()
    const again = await runEdgeadm(lab, 'edge-1', [...joinLine, ...WITH_PACKAGE, '--node-labels=again=yes'])
    expect(again.exitCode, again.error?.message).toBe(0)
    expect(phasesDone(again)).toContain('edge/edgemesh-renew')
    const fresh = await eventually(processes, (found) => found.every((one) => !old.includes(one)), 60_000)
    expect(fresh).toHaveLength(2)
    expect((await meshPods(lab)).map(({ uid }) => uid)).toEqual(before.map(({ uid }) => uid))
    await lab.run('master-1', ['kubectl', 'delete', '-f', '-'], { input: meshObjects('none', 'edge-1') })
  })
})

test('an ordinary client-go program lists Services and Pods through the secure MetaServer', async () => {
  const image = await inClusterImage()
  for (const machine of ['edge-1', 'edge-2'])
    await lab.run(machine, ['ctr', '--namespace=k8s.io', 'images', 'import', '-'], { input: image })
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], {
    input: readFileSync(new URL('manifests/in-cluster.yaml', import.meta.url), 'utf8'),
  })
  await kubectl('rollout', 'status', 'daemonset/in-cluster', '--timeout=120s')
  await kubectl('rollout', 'status', 'daemonset/offline', '--timeout=120s')
  const { name } = await podOn('edge-1')
  // The way of the log is itself a test: through CloudCore's tunnel.
  const log = await eventually(
    () => kubectl('logs', name, '--tail=20'),
    (text) => text.includes('service default/kubernetes from https://169.254.30.10:10550'),
    120_000,
  )
  expect(log).toContain(`pod default/${name} from https://169.254.30.10:10550`)
})

test('kubectl exec reaches a Pod on the edge, and the port that would let others do so is closed to them', async () => {
  const pods = ['-n', 'kubeedge', '-l', 'app=edge-check', '--field-selector=spec.nodeName=edge-1']
  const pod = await kubectl('get', 'pods', ...pods, '-o', 'name')
  expect(await kubectl('-n', 'kubeedge', 'exec', pod.trim(), '--', '/pause', '-v')).toContain('pause.c')
  const stream = `https://${MASTER}:10003/`
  expect((await lab.probe('edge-1', ['curl', '-sk', '--max-time', '3', stream])).exitCode).toBe(28)
  expect((await lab.probe('master-1', ['curl', '-sk', '--max-time', '3', stream])).exitCode).toBe(0)
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

describe('without the cloud', () => {
  let address = ''
  const podAnswers = (): Promise<string> => curl('edge-2', `http://${address}:8080/`)

  test('Pods go on, and MetaServer answers from its store', async () => {
    const { name, address: podAddress } = await podOn('edge-2')
    address = podAddress
    // What somebody watches is in the store, as a client of client-go does; what was only listed is not.
    const watch = ['curl', '-sN', `http://127.0.0.1:10550${SERVICES}?watch=true`]
    await lab.run('edge-2', ['systemd-run', '--quiet', '--property=StandardOutput=file:/run/watch', ...watch])
    await eventually(
      () => lab.run('edge-2', ['cat', '/run/watch']),
      (text) => text.includes('"name":"kubernetes"'),
      60_000,
    )
    await cutMachine(lab.name, 'edge-2', ['master-1'])
    expect(await podAnswers()).toBe(`served by ${name}`)
    await eventually(servicesOnEdge2, (names) => names.includes('kubernetes'), 60_000)
  })

  test('edgecore is restarted, and both go on', async () => {
    await lab.run('edge-2', ['systemctl', 'restart', 'edgecore'])
    await eventually(servicesOnEdge2, (names) => names.includes('kubernetes'), 90_000)
    expect(await podAnswers()).toContain('served by in-cluster')
  })

  test('the whole machine is restarted, and the Pod that mounts no token comes back', async () => {
    await killMachine(lab.name, 'edge-2')
    await startMachine(lab.name, 'edge-2', reporting)
    const cloud = ['curl', '-sk', '--max-time', '3', `https://${MASTER}:10002/ca.crt`]
    // curl: no connection, or none in time; which of them depends on when the neighbour is given up.
    expect([7, 28]).toContain((await lab.probe('edge-2', cloud)).exitCode)
    await eventually(servicesOnEdge2, (names) => names.includes('kubernetes'), 90_000)
    // Its address may be another one, and those from before the restart are still on record: each look asks anew.
    const answers = async (): Promise<boolean> => {
      const addresses = await lab.run('edge-2', [
        'sh',
        '-c',
        'cd /var/lib/cni/networks/edgeadm && ls -d *.*.*.*',
      ])
      for (const one of addresses.trim().split('\n')) {
        const answer = await lab.probe('edge-2', ['curl', '-s', '--max-time', '3', `http://${one}:8080/`])
        if (answer.stdout.includes('served by offline')) return true
      }
      return false
    }
    await eventually(answers, (answer) => answer, 120_000)
  })

  test('once the cloud is back, the node is Ready and its store follows', async () => {
    await healMachine(lab.name, 'edge-2')
    await kubectl('create', 'service', 'clusterip', 'made-meanwhile', '--tcp=80:80')
    await kubectl('wait', '--for=condition=Ready', 'node/edge-2', '--timeout=120s')
    await eventually(servicesOnEdge2, (names) => names.includes('made-meanwhile'), 120_000)
  })
})

test('CloudCore killed: another one starts, and the edges find it', async () => {
  await lab.run('master-1', ['sh', '-c', 'kill -KILL $(pidof cloudcore)'])
  await eventually(
    () =>
      kubectl(
        '-n',
        'kubeedge',
        'get',
        'pods',
        '-l',
        'kubeedge=cloudcore',
        '-o',
        'jsonpath={.items[0].status.containerStatuses[0].restartCount} {.items[0].status.containerStatuses[0].ready}',
      ),
    (text) => text === '1 true',
    120_000,
  )
  await kubectl('create', 'service', 'clusterip', 'made-after', '--tcp=80:80')
  await eventually(servicesOnEdge2, (names) => names.includes('made-after'), 120_000)
  const { name } = await podOn('edge-1')
  await eventually(
    () => kubectl('logs', name, '--tail=40'),
    (text) => text.includes('service default/made-after'),
    120_000,
  )
})

test('reset makes a bare machine of an edge node', async () => {
  const result = await lab.probe('edge-1', ['edgeadm', 'reset', '--force'])
  expect(result.exitCode, result.stderr).toBe(0)
  for (const path of [
    '/etc/kubeedge',
    '/var/lib/kubeedge',
    '/var/lib/kubelet',
    '/usr/local/bin/edgecore',
    '/opt/cni/bin',
  ])
    expect((await lab.probe('edge-1', ['test', '-e', path])).exitCode, path).toBe(1)
  expect(await lab.run('edge-1', ['ip', '-brief', 'link'])).not.toMatch(/cni0|edge-dummy0|veth/)
})
