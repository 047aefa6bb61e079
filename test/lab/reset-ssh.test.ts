/** Reset that was called over SSH: what would cut off the caller is put back, also if edgeadm itself no longer does anything. */

import { beforeAll, expect, test } from 'vitest'
import { EXECUTABLE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, executable: EXECUTABLE })
const sh = (machine: string, script: string) => lab.run(machine, ['sh', '-ec', script])
const SSH = ['ssh', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=3', '-o', 'StrictHostKeyChecking=no']
const overSsh = (command: string) => lab.probe('worker-1', [...SSH, 'root@10.123.0.11', command])
const RESET = 'edgeadm reset --force'
/** Of the administrator, who gave their chain a name that looks like kube-proxy's: reset takes it away. */
const OPEN = `iptables -N KUBE-ADMIN; iptables -A KUBE-ADMIN -p tcp --dport 22 -j ACCEPT; iptables -I INPUT -j KUBE-ADMIN`
const SHUT = 'iptables -D INPUT -j KUBE-ADMIN; iptables -F KUBE-ADMIN; iptables -X KUBE-ADMIN'

beforeAll(async () => {
  await sh(
    'worker-1',
    'mkdir -p -m 700 /root/.ssh; ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519 >&2',
  )
  const input = await sh('worker-1', 'cat /root/.ssh/id_ed25519.pub')
  await lab.run('master-1', ['sh', '-ec', 'mkdir -p -m 700 /root/.ssh; cat >/root/.ssh/authorized_keys'], {
    input,
  })
  await sh('master-1', 'ssh-keygen -A; systemctl start ssh')
  expect((await overSsh('true')).exitCode).toBe(0)
  // The record alone makes the machine one that reset has something to do on.
  await sh(
    'master-1',
    'edgeadm init phase node/record --enable-edge=false --kubernetes-version=v1.33.13 --apiserver-advertise-address=10.123.0.11',
  )
})

test('a step of reset that shuts the port of SSH is taken back, and reset stops and says so', async () => {
  await sh('master-1', `${OPEN}; iptables -P INPUT DROP`)
  const reset = await overSsh(RESET)
  expect(reset.exitCode, reset.stderr).toBe(7)
  expect(reset.stderr).toMatch(
    /network\/rules would have cut off 10\.123\.0\.51, .*chain iptables INPUT no longer lets port 22 in/,
  )
  expect((await overSsh('iptables -S KUBE-ADMIN')).stdout).toContain('--dport 22 -j ACCEPT')
  expect((await lab.probe('master-1', ['ls', '/run/edgeadm-rollback'])).exitCode).toBe(2)
})

test('a run that stands still while the caller is cut off: the machine lets them in again by itself', async () => {
  await sh('master-1', 'iptables -P INPUT ACCEPT')
  const reset = overSsh(RESET)
  const armed = 'until systemctl is-active -q edgeadm-rollback.service; do sleep 0.05; done'
  await sh('master-1', `${armed}; kill -STOP $(pgrep -f '^${RESET}')`)
  await sh('master-1', 'iptables -I INPUT -p tcp --dport 22 -j DROP')
  expect((await overSsh('true')).exitCode).toBe(255)
  await eventually(
    () => overSsh('true'),
    ({ exitCode }) => exitCode === 0,
    120_000,
  )
  await sh('master-1', `kill -KILL $(pgrep -f '^${RESET}')`)
  await reset
})

test('where nobody is cut off reset goes through, and nothing of the guard stays', async () => {
  await sh('master-1', SHUT)
  const reset = await overSsh(RESET)
  expect(reset.exitCode, reset.stdout + reset.stderr).toBe(0)
  expect(reset.stdout + reset.stderr).toContain('10.123.0.51 can still reach this machine')
  const guard = ['sh', '-c', 'ls /run/edgeadm-rollback; systemctl is-active edgeadm-rollback']
  expect((await lab.probe('master-1', guard)).stdout.trim()).toBe('inactive')
})
