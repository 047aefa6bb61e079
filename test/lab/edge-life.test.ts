/** Edge nodes at work: Pods and MetaServer, without the cloud and with it again, new certificates, and the end of a node. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { cutMachine, healMachine, killMachine, startMachine } from '../../src/lab/index.ts'
import { apiCases } from './api-cases.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { daysOfServer, giveEndingCertificate, shortenServerCertificate } from './edge-certificates.ts'
import { edgeLab, MASTER, SERVICES, WITH_PACKAGE } from './edge-lab.ts'
import { runEdgeadm } from './edgeadm-run.ts'
import { eventually } from './eventually.ts'
import { inClusterImage } from './in-cluster/image.ts'
import { type MachineState, machineState } from './machine-state.ts'
import { reporting, useLab } from './machines.ts'

let joinLine: string[] = []
/** edge-1 as it was when it had booted. */
let before: MachineState | undefined
const lab = useLab({
  masters: 1,
  edges: 2,
  executable: EXECUTABLE,
  package: PACKAGE,
  prepare: async () => {
    joinLine = await init()
    before = await machineState(lab, 'edge-1')
    await Promise.all([join('edge-1', joinLine), join('edge-2', [...joinLine, '--metaserver=plain'])])
  },
})
const { kubectl, curl, init, join, servicesOn } = edgeLab(lab)
const SHOW_NAMES = `openssl s_client -connect ${MASTER}:10002 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName`
const CERTIFICATE_REQUEST =
  'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=nobody 2>/dev/null'
const KUBELET_PODS = ['curl', '-s', '--max-time', '5', 'http://127.0.0.1:10350/pods']
const servicesOnEdge2 = () => servicesOn('edge-2')

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

/** MetaServer answers as a Pod of the node needs it. */
const checkPasses = (node: string) =>
  eventually(
    () => lab.run(node, ['edgeadm', 'check', 'edge']),
    () => true,
    120_000,
  )

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

apiCases(lab)

test('kubectl exec reaches a Pod on the edge, and the port that would let others do so is closed to them', async () => {
  const pods = ['-n', 'kubeedge', '-l', 'app=edge-check', '--field-selector=spec.nodeName=edge-1']
  const pod = await kubectl('get', 'pods', ...pods, '-o', 'name')
  expect(await kubectl('-n', 'kubeedge', 'exec', pod.trim(), '--', '/pause', '-v')).toContain('pause.c')
  const stream = `https://${MASTER}:10003/`
  expect((await lab.probe('edge-1', ['curl', '-sk', '--max-time', '3', stream])).exitCode).toBe(28)
  expect((await lab.probe('master-1', ['curl', '-sk', '--max-time', '3', stream])).exitCode).toBe(0)
})

test("edgecore's own kubelet answers root alone", async () => {
  const ask = (user: string) =>
    lab.probe('edge-1', ['setpriv', `--reuid=${user}`, '--clear-groups', ...KUBELET_PODS])
  expect((await ask('root')).stdout).toContain('PodList')
  expect(await ask('nobody')).toMatchObject({ exitCode: 7, stdout: '' })
})

describe('without the cloud', () => {
  let address = ''
  const podAnswers = (): Promise<string> => curl('edge-2', `http://${address}:8080/`)

  test('Pods go on, and MetaServer answers from its store', async () => {
    const { name, address: podAddress } = await podOn('edge-2')
    address = podAddress
    // What somebody watches is in the store, as a client of client-go does; what was only listed is not. An event that comes
    // down in the moment before edgecore knows of the watch is lost to it (KubeEdge 1.23), so the watch is begun anew then.
    const watch = ['curl', '-sN', `http://127.0.0.1:10550${SERVICES}?watch=true`]
    const output = ['--unit=watch', '--collect', '--property=StandardOutput=truncate:/run/watch']
    const watching = async (): Promise<string> => {
      await lab.probe('edge-2', ['systemctl', 'stop', 'watch.service'])
      await lab.run('edge-2', ['systemd-run', '--quiet', ...output, ...watch])
      return eventually(
        () => lab.run('edge-2', ['cat', '/run/watch']),
        (text) => text.includes('"name":"kubernetes"'),
        10_000,
      )
    }
    await eventually(watching, () => true, 60_000)
    await cutMachine(lab.name, 'edge-2', ['master-1'])
    expect(await podAnswers()).toBe(`served by ${name}`)
    await eventually(servicesOnEdge2, (names) => names.includes('kubernetes'), 60_000)
    // What was never asked for is not known, and not an empty list.
    const unknown = 'http://127.0.0.1:10550/api/v1/persistentvolumes'
    expect(await curl('edge-2', '-o', '/dev/null', '-w', '%{http_code}', unknown)).toBe('503')
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

describe('certificates near their end', () => {
  const ofNode = () => lab.run('edge-1', ['cat', '/etc/kubeedge/certs/server.crt'])

  test("an edge node's own: edgecore gets another from CloudCore, and goes on with it", async () => {
    const old = await giveEndingCertificate(lab, 'edge-1')
    const renewed = await eventually(ofNode, (pem) => pem.trim() !== old.trim(), 120_000)
    const { subject, validToDate } = new X509Certificate(renewed)
    expect(subject).toContain('CN=system:node:edge-1')
    expect(validToDate.getTime()).toBeGreaterThan(Date.now() + 360 * 86_400_000)
    const stat = ['stat', '-c', '%a', '/etc/kubeedge/certs/server.key', '/etc/kubeedge/certs/server.crt']
    expect(await lab.run('edge-1', stat)).toBe('600\n600')
    // Beyond the old one's end: what is connected now is connected with the new one.
    const end = new X509Certificate(old).validToDate.getTime()
    await delay(Math.max(0, end - Date.now()))
    await lab.run('edge-1', ['systemctl', 'restart', 'edgecore'])
    const restarted = Date.now()
    await checkPasses('edge-1')
    await eventually(
      () => kubectl('-n', 'kube-node-lease', 'get', 'lease', 'edge-1', '-o', 'jsonpath={.spec.renewTime}'),
      (time) => Date.parse(time) > restarted,
      60_000,
    )
    await kubectl('wait', '--for=condition=Ready', 'node/edge-1', '--timeout=60s')
  })

  test("CloudCore's: status warns, the phase makes new ones with all names, and the edges are connected again", async () => {
    await shortenServerCertificate(lab, 30, [MASTER, '192.0.2.7'])
    const status = ['edgeadm', 'status']
    expect((await lab.probe('master-1', status)).stderr).toMatch(
      /CloudCore's server certificate has 29 days left, until .*`edgeadm init phase edge\/certificates` on a master/,
    )
    await lab.run('master-1', ['edgeadm', 'init', 'phase', 'edge/certificates'])
    expect(await daysOfServer(lab, 'edge-1', MASTER)).toBeGreaterThan(1800)
    // An edge node may use a name that this run was not told.
    const { stdout } = await lab.probe('edge-1', ['sh', '-c', SHOW_NAMES])
    expect(stdout).toContain('IP Address:192.0.2.7')
    expect((await lab.probe('master-1', status)).stderr).toBe('')
    for (const node of ['edge-1', 'edge-2']) await checkPasses(node)
    await kubectl('create', 'service', 'clusterip', 'made-later', '--tcp=80:80')
    await eventually(servicesOnEdge2, (names) => names.includes('made-later'), 120_000)
  })
})

test('reset makes a bare machine of an edge node: all is as it was before it joined', async () => {
  const result = await lab.probe('edge-1', ['edgeadm', 'reset', '--force'])
  expect(result.exitCode, result.stderr).toBe(0)
  expect(await machineState(lab, 'edge-1')).toEqual(before)
})

describe('a node that has left', () => {
  const inCluster = async () => {
    const named = (text: string) => text.split('\n').filter((line) => line.includes('edge-1'))
    const kinds = 'nodes,pods,leases,csr,objectsyncs,clusterobjectsyncs'
    const column =
      '-o=custom-columns=KIND:.kind,NAME:.metadata.name,NODE:.spec.nodeName,STATUS:.status.nodeList'
    const objects = await kubectl('get', kinds, '-A', column)
    const access = await kubectl('get', 'serviceaccountaccesses.policy.kubeedge.io', '-A', column)
    return [...named(objects), ...named(access)]
  }

  test('is in the way of another of its name, until reset --remove-node on a master takes it out with all it had', async () => {
    const refused = await runEdgeadm(lab, 'edge-1', [...joinLine, ...WITH_PACKAGE])
    expect(refused.error?.message).toMatch(/^a node with the name "edge-1" is in the cluster already/)
    expect(refused.error?.fix).toContain('`edgeadm reset --remove-node edge-1` on a master')
    expect(refused.exitCode).toBe(3)
    expect((await inCluster()).length).toBeGreaterThan(5)
    const asked = await lab.probe('master-1', ['edgeadm', 'reset', '--remove-node', 'edge-1'])
    expect(asked.exitCode).toBe(2)
    await lab.run('master-1', ['edgeadm', 'reset', '--remove-node', 'edge-1', '--force'])
    await eventually(inCluster, (found) => found.length === 0, 30_000)
    const again = await runEdgeadm(lab, 'master-1', ['reset', '--remove-node', 'edge-1', '--force'])
    expect(again.error?.message).toBe('the cluster has no node edge-1, and nothing of one')
  })

  test('joins again under its name, and its secure MetaServer answers: an earlier certificate request is not in the way', async () => {
    // As upstream's edgecore names it, and with a key that is lost: what a lost answer leaves behind.
    const request = await lab.run('master-1', ['sh', '-c', CERTIFICATE_REQUEST])
    await lab.run('master-1', ['kubectl', 'create', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name: 'metaserver-csr-edge-1' },
        spec: {
          request: Buffer.from(request).toString('base64'),
          signerName: 'example.org/none',
          usages: ['server auth'],
        },
      }),
    })
    await join('edge-1', joinLine)
    await kubectl('wait', '--for=condition=Ready', 'node/edge-1', '--timeout=60s')
    await checkPasses('edge-1')
  })

  test('cannot take itself out, and says who can', async () => {
    const result = await runEdgeadm(lab, 'edge-1', ['reset', '--force', '--remove-node'])
    expect(result.exitCode).toBe(9)
    expect(result.error?.details.join('\n')).toContain('on a master run: edgeadm reset --remove-node edge-1')
  })
})
