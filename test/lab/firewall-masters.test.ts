/** Two masters behind a virtual address, one with firewalld and one with ufw: they hear each other, and nobody else is let in. */

import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { installDebian } from './debian-packages.ts'
import { eventually } from './eventually.ts'
import { holders } from './ha-measure.ts'
import { useLab } from './machines.ts'

const HAPROXY = '/etc/kubernetes/manifests/haproxy.yaml'
const VIP = '10.123.0.240'
const MASTERS = ['master-1', 'master-2']
const lab = useLab({ masters: 2, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const sh = (machine: string, script: string) => lab.run(machine, ['sh', '-c', script])
const STATE: Readonly<Record<string, string>> = {
  'master-1': 'firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones',
  'master-2': 'ufw status verbose; ufw show added; cat /etc/ufw/user.rules',
}
const stateOf = (machine: string) => sh(machine, STATE[machine] ?? '')
const before: Record<string, string> = {}

beforeAll(async () => {
  await installDebian(lab, 'master-1', ['firewalld'])
  await sh('master-1', 'systemctl start firewalld')
  for (const permanent of ['', '--permanent'])
    await sh('master-1', `firewall-cmd ${permanent} --zone=internal --add-interface=host0`)
  await installDebian(lab, 'master-2', ['ufw'])
  await sh('master-2', 'ufw allow 22/tcp && ufw --force enable')
  for (const machine of MASTERS) before[machine] = await stateOf(machine)
})

test('one master holds the address, and both firewalls let VRRP in from the other alone', async () => {
  const stdout = await lab.run('master-1', [
    ...['edgeadm', 'init', '--ha=haproxy-keepalived', `--control-plane-endpoint=${VIP}:8443`],
    ...['--upload-certs', '--enable-edge=false', ...WITH_PACKAGE],
  ])
  const line =
    /edgeadm join .* --control-plane --certificate-key [0-9a-f]{64}/.exec(stdout)?.[0].split(' ') ?? []
  await lab.run('master-2', [...line, ...WITH_PACKAGE])
  await eventually(
    () => sh('master-1', 'firewall-cmd --zone=internal --list-rich-rules'),
    (rules) =>
      rules.trim().split('\n').sort().join() ===
      [
        'rule family="ipv4" source address="10.123.0.12" port port="10003" protocol="tcp" accept',
        'rule family="ipv4" source address="10.123.0.12" protocol value="vrrp" accept',
      ].join(),
    20_000,
  )
  expect(await sh('master-1', 'firewall-cmd --zone=internal --list-ports')).toContain('8443/tcp')
  const added = await sh('master-2', 'ufw show added')
  expect(added).toContain("ufw allow from 10.123.0.11 proto vrrp comment 'edgeadm: VRRP'")
  expect(added).toContain(
    "ufw allow from 10.123.0.11 to any port 10003 proto tcp comment 'edgeadm: CloudCore'",
  )
  expect(added).toContain("ufw allow 8443/tcp comment 'edgeadm: control plane endpoint'")
  // A master that hears nobody takes the address too, within a second or two.
  for (let look = 0; look < 8; look += 1) {
    expect(await holders(lab, MASTERS, VIP)).toHaveLength(1)
    await delay(1000)
  }
})

test('the address goes over, and the API answers on the other side', async () => {
  const [holder = ''] = await holders(lab, MASTERS, VIP)
  const other = MASTERS.find((name) => name !== holder) ?? ''
  await sh(holder, `mv ${HAPROXY} /root/haproxy.yaml`)
  await eventually(
    () => holders(lab, MASTERS, VIP),
    (all) => all.join() === other,
    15_000,
  )
  await eventually(
    () => lab.probe(holder, ['curl', '-sk', '-m', '3', `https://${VIP}:8443/readyz`]),
    ({ stdout }) => stdout === 'ok',
    15_000,
  )
  await sh(holder, `mv /root/haproxy.yaml ${HAPROXY}`)
})

test.each(MASTERS.toReversed())('reset of %s takes back just what was opened', async (machine) => {
  const result = await lab.probe(machine, ['edgeadm', 'reset', '--force'])
  expect(result.exitCode, result.stderr).toBe(0)
  expect(await stateOf(machine)).toBe(before[machine])
})
