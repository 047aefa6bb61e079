/** SuperEdge's runtime: an edge node that speaks through lite-apiserver, beside a worker that knows nothing of it. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { cutMachine, healMachine, killMachine, startMachine } from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import { type MachineState, machineState } from './machine-state.ts'
import { reporting, useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, edges: 1, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const RUNTIME = '--edge-runtime=superedge'
const CACHE = 'https://127.0.0.1:51003'
/** Both reasons, in one line. */
const WARNING =
  /--edge-runtime=superedge is experimental: .*without asking for credentials.*key that is public/
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

const kubectl = (...args: string[]): Promise<string> => lab.run('master-1', ['kubectl', ...args])
const edge = (...command: string[]): Promise<string> => lab.run('edge-1', command)
const curl = (...args: string[]): string[] => ['curl', '-sk', '--max-time', '10', ...args]
const podsOn = async (node: string): Promise<string> =>
  kubectl('get', 'pods', '-A', `--field-selector=spec.nodeName=${node}`, '-o', 'name')

let joinLine: string[] = []
let before: MachineState | undefined

beforeAll(async () => {
  before = await machineState(lab, 'edge-1')
})

describe('comes to be', () => {
  test('init says that it is experimental, installs no CloudCore, and prints the line', async () => {
    const result = await lab.probe('master-1', ['edgeadm', 'init', ...WITH_PACKAGE, RUNTIME])
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stderr).toMatch(WARNING)
    const line =
      /edgeadm (join \S+:6443 --token \S+ --discovery-token-ca-cert-hash \S+ --edge-runtime=superedge)/
    joinLine = line.exec(result.stdout)?.[1]?.split(' ') ?? []
    expect(joinLine).toHaveLength(7)
    expect(await kubectl('get', 'namespaces', '-o', 'name')).not.toContain('kubeedge')
  })

  test('token create --edge prints such a line, later', async () => {
    const token = ['edgeadm', 'token', 'create', '--edge', '--ttl=10m']
    const later = await lab.run('master-1', [...token, '--print-join-command'])
    const same = joinLine.filter((word) => !/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(word))
    expect(later.trim().split(' ')).toEqual(expect.arrayContaining(same))
    expect(later.trim().endsWith(` ${RUNTIME}`)).toBe(true)
    expect((await lab.run('master-1', token)).trim()).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)
  })

  test('its line makes an edge node that is Ready', async () => {
    const result = await lab.probe('edge-1', ['edgeadm', ...joinLine, ...WITH_PACKAGE])
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stderr).toMatch(WARNING)
    const nodes = await kubectl('get', 'nodes', '-l', 'superedge.io/edge-node=enable', '--no-headers')
    expect(nodes).toMatch(/^edge-1 +Ready /)
  })

  test('the same command again finds everything done', async () => {
    const result = await lab.probe('edge-1', ['edgeadm', ...joinLine, ...WITH_PACKAGE])
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stderr).not.toMatch(/^\[(kubelet-start|edge\/fill-cache)\] done/m)
  })

  test('a worker joins beside it, with nothing of it on the machine', async () => {
    const worker = [...joinLine.filter((word) => word !== RUNTIME), '--enable-edge=false']
    const result = await lab.probe('worker-1', ['edgeadm', ...worker, ...WITH_PACKAGE])
    expect(result.exitCode, result.stderr).toBe(0)
    const found = ['find', '/etc', '/usr/local', '/var/lib', '-xdev', '-name', '*lite-apiserver*']
    expect(await lab.run('worker-1', found)).toBe('')
    expect(await lab.run('worker-1', ['iptables-save'])).not.toContain('EDGEADM-LITE')
    expect(await lab.run('worker-1', ['grep', 'server:', '/etc/kubernetes/kubelet.conf'])).toContain(':6443')
    expect(await kubectl('get', 'node', 'worker-1', '--show-labels')).not.toContain('superedge')
    const status = await lab.run('master-1', ['edgeadm', 'status'])
    expect(status).toMatch(/^edge-1 +superedge +Ready /m)
    expect(status).toMatch(/^worker-1 +worker +Ready /m)
  })
})

describe('on the edge node', () => {
  test('everything goes through the cache, from the first request on', async () => {
    // The kubelet's request for its first certificate is in there.
    expect(await edge('ls', '/var/lib/lite-apiserver/cache')).toMatch(
      /^kubelet_\S+certificatesigningrequests/m,
    )
    expect(await edge('grep', 'server:', '/etc/kubernetes/kubelet.conf')).toContain(CACHE)
    const peers = await edge('ss', '-Htnp', 'dst', '10.123.0.11:6443')
    expect(peers).toContain('lite-apiserver')
    expect(peers.split('\n').filter((line) => !line.includes('lite-apiserver'))).toEqual([])
  })

  test('its unit comes before the kubelet', async () => {
    const after = await edge('systemctl', 'show', '-p', 'After,Wants', 'kubelet.service')
    expect(after.match(/lite-apiserver\.service/g)).toHaveLength(2)
    expect(await edge('systemctl', 'is-enabled', 'lite-apiserver.service')).toBe('enabled')
  })

  test('kube-proxy and flannel are those for the edge, and the ordinary ones stay on the others', async () => {
    const onEdge = await podsOn('edge-1')
    expect(onEdge).toMatch(/kube-proxy-superedge-/)
    expect(onEdge).toMatch(/kube-flannel-superedge-/)
    expect(onEdge).not.toMatch(/kube-flannel-ds-|kube-proxy-(?!superedge)/)
    const onWorker = await podsOn('worker-1')
    expect(onWorker).toMatch(/kube-flannel-ds-/)
    expect(onWorker).toMatch(/kube-proxy-/)
    expect(onWorker).not.toContain('superedge')
  })

  test('its certificate is of a CA that only this node knows, and whose key is nowhere', async () => {
    const read = async (name: string) => new X509Certificate(await edge('cat', `/etc/lite-apiserver/${name}`))
    const [certificate, ca, clusterCa] = await Promise.all(
      ['server.crt', 'node-ca.crt', 'cluster-ca.crt'].map(read),
    )
    expect(certificate?.verify((ca as X509Certificate).publicKey)).toBe(true)
    expect(clusterCa?.fingerprint256).not.toBe(ca?.fingerprint256)
    const keys = await edge('grep', '-rlE', 'BEGIN .*PRIVATE KEY', '/etc/lite-apiserver', '/etc/kubernetes')
    expect(keys.trim()).toBe('/etc/lite-apiserver/server.key')
    const key = createPrivateKey(await edge('cat', '/etc/lite-apiserver/server.key'))
    expect([certificate?.checkPrivateKey(key), ca?.checkPrivateKey(key)]).toEqual([true, false])
    const modes = ['stat', '-c', '%a', '/etc/lite-apiserver/server.key', '/var/lib/lite-apiserver']
    expect(await edge(...modes)).toBe('600\n700')
    const open = ['find', '/var/lib/lite-apiserver/cache', '-type', 'f', '-perm', '/077']
    expect(await edge(...open)).toBe('')
  })

  test("its port is open to root's processes alone", async () => {
    expect(await edge(...curl('-o', '/dev/null', '-w', '%{http_code}', `${CACHE}/version`))).toBe('200')
    await expectClosed()
  })
})

/** To other users, and to other machines. */
async function expectClosed(): Promise<void> {
  // curl: 7 is no connection, 28 no answer.
  expect((await lab.probe('edge-1', [...AS_NOBODY, ...curl(`${CACHE}/version`)])).exitCode).toBe(7)
  const fromOutside = curl('--max-time', '3', 'https://10.123.0.101:51003/version')
  expect([7, 28]).toContain((await lab.probe('worker-1', fromOutside)).exitCode)
}

describe('cut off from the master', () => {
  let service = ''
  const answers = async (machine: string, url: string): Promise<boolean> =>
    (await lab.run(machine, curl('--max-time', '3', url))) === 'OK'
  /** Of a Pod's addresses, those from before a restart stay on record: any that answers will do. */
  const podAnswers = async (): Promise<boolean> => {
    const addresses = await edge('sh', '-c', 'cd /var/lib/cni/networks/cbr0 && ls -d *.*.*.*')
    for (const one of addresses.trim().split('\n'))
      if (await answers('edge-1', `http://${one}:8080/health`).catch(() => false)) return true
    return false
  }
  const server = () => edge('pgrep', '-f', '^/?\\S*coredns -conf /etc/web')
  const isRight = (answer: boolean) => answer
  const secret = `${CACHE}/api/v1/namespaces/default/secrets?fieldSelector=metadata.name%3Dweb`

  test('a Pod with a Secret runs there, and a Service leads to it', async () => {
    const manifest = readFileSync(new URL('manifests/superedge.yaml', import.meta.url), 'utf8')
    await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], { input: manifest })
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    service = await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
    for (const machine of ['edge-1', 'worker-1'])
      await eventually(() => answers(machine, `http://${service}/health`), isRight, 60_000)
  })

  test('Pods and Services go on, and the port stays closed: who reaches it is not asked for credentials', async () => {
    await cutMachine(lab.name, 'edge-1', ['master-1', 'worker-1'])
    expect(
      (await lab.probe('edge-1', curl('--max-time', '3', 'https://10.123.0.11:6443'))).exitCode,
    ).not.toBe(0)
    expect(await answers('edge-1', `http://${service}/health`)).toBe(true)
    const known = await eventually(
      () => edge(...curl('-A', 'kubelet/v1.33.13', secret)),
      (text) => text.includes('Corefile'),
      60_000,
    )
    expect(known).toContain('SecretList')
    await expectClosed()
  })

  test('the kubelet is restarted, and starts again what ends', async () => {
    await edge('systemctl', 'restart', 'kubelet')
    const old = await server()
    await edge('kill', '-KILL', old.trim())
    await eventually(server, (now) => now !== old, 120_000)
    await eventually(podAnswers, isRight, 60_000)
    expect(await answers('edge-1', `http://${service}/health`)).toBe(true)
    expect(await edge('systemctl', 'show', '-p', 'NRestarts', 'kubelet')).toBe('NRestarts=0')
  })

  test('the whole machine is restarted, and the Pod answers again', async () => {
    await killMachine(lab.name, 'edge-1')
    await startMachine(lab.name, 'edge-1', reporting)
    expect(
      (await lab.probe('edge-1', curl('--max-time', '3', 'https://10.123.0.11:6443'))).exitCode,
    ).not.toBe(0)
    await eventually(podAnswers, isRight, 240_000)
    await expectClosed()
  })

  test('once the master is back, the node is Ready and the Service right everywhere', async () => {
    await healMachine(lab.name, 'edge-1')
    await kubectl('wait', '--for=condition=Ready', 'node/edge-1', '--timeout=120s')
    for (const machine of ['edge-1', 'worker-1'])
      await eventually(() => answers(machine, `http://${service}/health`), isRight, 300_000)
  })

  test('the worker noticed nothing of all this', async () => {
    const restarts = 'jsonpath={.items[*].status.containerStatuses[*].restartCount}'
    const selection = ['-A', '--field-selector=spec.nodeName=worker-1', '-o', restarts]
    expect(new Set((await kubectl('get', 'pods', ...selection)).split(' '))).toEqual(new Set(['0']))
    expect(await lab.run('worker-1', ['systemctl', 'show', '-p', 'NRestarts', 'kubelet'])).toBe('NRestarts=0')
  })
})

describe('reset', () => {
  /** Without what is another after each boot: numbers of the host's end of the cable, names that systemd makes up. */
  const steady = ({ sections, files }: MachineState) => ({
    sections: {
      ...sections,
      interfaces: sections.interfaces?.replace(/@if\d+/g, ''),
      mounts: sections.mounts?.replace(/(?<=\/\.#proc-\S*)[0-9a-f]{16}(?=\])/g, ''),
    },
    files: files.filter((file) => !file.includes('/systemd-private-')),
  })

  test('leaves the machine as it was before', async () => {
    const result = await lab.probe('edge-1', ['edgeadm', 'reset', '--force'])
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stderr).toContain('This machine is edge-1: an edge node of the cluster at 10.123.0.11')
    expect(steady(await machineState(lab, 'edge-1'))).toEqual(steady(before as MachineState))
  })
})
