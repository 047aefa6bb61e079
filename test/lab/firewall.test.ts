/** Machines with firewalld and ufw: what is opened, that Pods reach each other through it, and that reset takes back just that. */

import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { installDebian } from './debian-packages.ts'
import { eventually } from './eventually.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, edges: 1, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const MACHINES = ['master-1', 'worker-1', 'edge-1']
const sh = (machine: string, script: string) => lab.run(machine, ['sh', '-c', script])

/** The administrator's side: what is open now, and after the next boot. (firewalld keeps empty chains of a zone it once used.) */
const STATE: Readonly<Record<string, string>> = {
  'master-1':
    'firewall-cmd --state; firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones',
  'worker-1': 'ufw status verbose; ufw show added; cat /etc/ufw/user.rules /etc/ufw/user6.rules',
  'edge-1': 'ufw status verbose; ufw show added; cat /etc/ufw/user.rules /etc/ufw/user6.rules',
}
const before: Record<string, string> = {}
const stateOf = (machine: string) => sh(machine, STATE[machine] ?? '')
let joinLine: string[] = []

beforeAll(async () => {
  await installDebian(lab, 'master-1', ['firewalld'])
  await sh('master-1', 'systemctl start firewalld')
  for (const permanent of ['', '--permanent']) {
    await sh('master-1', `firewall-cmd ${permanent} --zone=internal --add-interface=host0`)
    await sh('master-1', `firewall-cmd ${permanent} --zone=internal --add-port=9999/tcp --add-port=10250/tcp`)
  }
  for (const machine of ['worker-1', 'edge-1']) {
    await installDebian(lab, machine, ['ufw'])
    await sh(machine, 'ufw allow 22/tcp && ufw allow 10250/tcp && ufw --force enable')
  }
  for (const machine of MACHINES) before[machine] = await stateOf(machine)
})

test('init opens what Kubernetes listens on in the zone of its interface, now and for the next boot', async () => {
  const stdout = await lab.run('master-1', ['edgeadm', 'init', ...WITH_PACKAGE])
  joinLine =
    /edgeadm join \S+ --token \S+ --discovery-token-ca-cert-hash \S+/.exec(stdout)?.[0].split(' ') ?? []
  for (const permanent of ['', '--permanent ']) {
    const ports = (await sh('master-1', `firewall-cmd ${permanent}--zone=internal --list-ports`))
      .trim()
      .split(' ')
      .sort()
    expect(ports).toEqual(
      [
        ...['9999/tcp', '10250/tcp', '6443/tcp', '2379-2380/tcp', '30000-32767/tcp', '8472/udp'],
        ...['10000/tcp', '10002/tcp', '10004/tcp'],
      ].sort(),
    )
    const trusted = await sh('master-1', `firewall-cmd ${permanent}--zone=trusted --list-interfaces`)
    expect(trusted.trim().split(' ').sort()).toEqual(['cni0', 'flannel.1'])
  }
})

test('join opens what a worker listens on in ufw', async () => {
  await lab.run('worker-1', [...joinLine, '--enable-edge=false', ...WITH_PACKAGE])
  const added = (await sh('worker-1', 'ufw show added')).trim().split('\n').slice(1)
  expect(added).toEqual([
    'ufw allow 22/tcp',
    'ufw allow 10250/tcp',
    "ufw allow 30000:32767/tcp comment 'edgeadm: NodePort services'",
    "ufw allow 8472/udp comment 'edgeadm: flannel VXLAN'",
    "ufw allow in on cni0 comment 'edgeadm: Pods'",
    "ufw route allow in on cni0 comment 'edgeadm: Pods'",
    "ufw allow in on flannel.1 comment 'edgeadm: Pods'",
    "ufw route allow in on flannel.1 comment 'edgeadm: Pods'",
  ])
})

/** Each side asks the other, over both firewalls. */
async function expectTraffic(): Promise<void> {
  const service = await sh('master-1', 'kubectl get service web -o jsonpath={.spec.clusterIP}')
  const inPod = `nsenter --net --target "$(pgrep -f '^[^ ]*coredns -conf /etc/web')"`
  for (const [machine, command, answer] of [
    ['master-1', `curl -sS -m 5 http://${service}/health`, 'OK'],
    ['worker-1', 'dig +short +time=3 +tries=1 @10.96.0.10 web.default.svc.cluster.local', service],
    ['worker-1', `${inPod} dig +short +time=3 +tries=1 @10.96.0.10 web.default.svc.cluster.local`, service],
    ['worker-1', `${inPod} curl -sSk -m 5 -o /dev/null -w '%{http_code}' https://10.96.0.1/version`, '200'],
  ] as const)
    await eventually(
      () => lab.probe(machine, ['sh', '-c', command]),
      ({ stdout }) => stdout.trim() === answer,
      60_000,
    )
}

test('Pods, Services and cluster DNS work through both, and anything else stays shut', async () => {
  const web = await readFile(new URL('manifests/web.yaml', import.meta.url))
  await lab.run('master-1', ['kubectl', 'apply', '-f', '-'], { input: web })
  await lab.run('master-1', ['kubectl', 'rollout', 'status', 'deployment/web', '--timeout=120s'])
  await expectTraffic()
  for (const [machine, from, address] of [
    ['master-1', 'worker-1', '10.123.0.11'],
    ['worker-1', 'master-1', '10.123.0.51'],
  ] as const) {
    await sh(machine, 'systemd-run --quiet socat TCP-LISTEN:9876,fork,reuseaddr EXEC:true')
    await sh(machine, "until ss -Hltn | grep -q ':9876 '; do sleep 0.1; done; nc -z -w 3 127.0.0.1 9876")
    expect((await lab.probe(from, ['nc', '-z', '-w', '3', address, '9876'])).exitCode).toBe(1)
  }
})

/** From a Pod on the master to a port of the master itself. */
const podReaches = async (port: number): Promise<boolean> => {
  const inPod = `nsenter --net --target "$(pgrep -f '^[^ ]*coredns -conf /etc/coredns' | head -n 1)"`
  const command = `${inPod} nc -z -w 3 10.123.0.11 ${port}`
  return (await lab.probe('master-1', ['sh', '-c', command])).exitCode === 0
}

test('a reload of firewalld changes none of it, and no Pod gets to the port that is for API servers', async () => {
  await sh('master-1', 'nc -z -w 3 127.0.0.1 10003')
  expect(await podReaches(10003)).toBe(false)
  await sh('master-1', 'firewall-cmd --reload')
  expect(await podReaches(10003)).toBe(false)
  await expectTraffic()
  expect(await podReaches(10002)).toBe(true)
})

test('an edge node with ufw: no port is opened, its Pods get through', async () => {
  await lab.run('edge-1', [...joinLine, ...WITH_PACKAGE])
  const added = (await sh('edge-1', 'ufw show added')).trim().split('\n').slice(1)
  expect(added.slice(2)).toEqual([
    "ufw allow in on cni0 comment 'edgeadm: Pods'",
    "ufw route allow in on cni0 comment 'edgeadm: Pods'",
  ])
  const check = await lab.probe('edge-1', ['edgeadm', 'check', 'edge'])
  expect(check.exitCode, check.stdout + check.stderr).toBe(0)
})

test.each(MACHINES.toReversed())(
  'reset of %s takes back just that, and the firewall stays on',
  async (machine) => {
    const result = await lab.probe(machine, ['edgeadm', 'reset', '--force'])
    expect(result.exitCode, result.stderr).toBe(0)
    expect(await stateOf(machine)).toBe(before[machine])
  },
)
