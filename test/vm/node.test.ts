/** A node on a kernel of its own: what the lab's machines cannot show, since they share their host's. */

import { mkdir, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { EXECUTABLE, PACKAGE } from '../lab/artifacts.ts'
import { bootMachine, type VirtualMachine } from './machine.ts'

let machine: VirtualMachine
let before: string

/** An administrator's shell, as the policy has it. */
const AS_ADMINISTRATOR = 'runcon unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023'
/** User-mode Linux has one processor and no cpuset controller. */
const CHECKS = '--ignore-preflight-errors=NumCPU,SystemVerification'
const INIT = `${AS_ADMINISTRATOR} edgeadm init --install-pkg-path /root/package ${CHECKS} --enable-edge=false`
/** Milliseconds; a few minutes on an idle host. */
const LIMIT = 1_200_000

const run = async (script: string, limit?: number): Promise<string> => {
  const { output, exitCode } = await machine.run(script, limit)
  expect(exitCode, output).toBe(0)
  return output.trim()
}

/** Modules, files, units and kernel parameters that Kubernetes changes. systemd and the logs are at work all the time. */
const STATE = `
ls /proc/sys/fs/binfmt_misc >/dev/null
awk '{print $1}' /proc/modules | sort
find /etc /opt /usr /root /var/lib -xdev -not -path '/var/lib/systemd*' -not -path /root -printf '%p %y %m %U:%G %l\\n' | sort
find /etc -xdev -type f -exec sha256sum {} + | sort
systemctl list-unit-files --no-legend | sort
sysctl net.ipv4.ip_forward vm.overcommit_memory kernel.panic kernel.panic_on_oops
findmnt --noheadings --output TARGET | sort
iptables-save | sed 's/\\[.*//'`

beforeAll(async () => {
  machine = await bootMachine({ '/usr/local/bin/edgeadm': EXECUTABLE, '/root/package': PACKAGE })
  // A look makes these tables and loads their modules, which is no doing of edgeadm's.
  before = await run(STATE)
})

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return
  const { output } = await machine.run('journalctl --no-pager; dmesg; cat /var/log/edgeadm/*.log', 120_000)
  await mkdir('test-logs', { recursive: true })
  await writeFile('test-logs/vm.log', output)
  console.error("The machine's logs: test-logs/vm.log")
})

afterAll(async () => machine?.destroy())

test('it has control groups of version 2, modules, and an SELinux policy', async () => {
  expect(await run('stat -fc %T /sys/fs/cgroup')).toBe('cgroup2fs')
  expect(await run('lsmod | wc -l').then(Number)).toBeGreaterThan(1)
  expect(await run('setenforce 1; getenforce; setenforce 0')).toBe('Enforcing')
})

test('init ends with a cluster whose Pods all run', async () => {
  const pods =
    'kubectl --kubeconfig /etc/kubernetes/admin.conf wait pods --all -A --for=condition=Ready --timeout=600s'
  const said = await run(`${INIT} && ${pods}`, LIMIT)
  expect(said.match(/condition met/g)?.length).toBeGreaterThanOrEqual(8)
  expect(await run('cat /proc/$(pgrep -x etcd)/cgroup')).toMatch(/^0::\/kubepods/)
  expect(await run('lsmod')).toMatch(/^vxlan /m)
})

test('under an enforcing policy that has nothing for containers, that is said', async () => {
  const phase = INIT.replace('init', 'init phase node/selinux')
  // The folder of the host has no label, so that the policy is off again before the result is written there.
  const said = await run(`setenforce 1; ${phase}; code=$?; setenforce 0; exit $code`)
  expect(said).toContain('SELinux is enforcing and has no policy for containers: install the package')
  expect(await run('ls -Z /usr/local/bin/kubelet')).toContain(':bin_t:')
})

test('reset leaves modules, files, units and rules as they were', async () => {
  await run('edgeadm reset --force', LIMIT)
  expect(await run(STATE)).toBe(before)
})

test("what is somebody's stays: their bridge, and the modules under it", async () => {
  await run(`${INIT.replace('init', 'init phase node/modules')}`)
  await run('ip link add mine type bridge')
  const said = await run('edgeadm reset --force', LIMIT)
  expect(said).toContain('the kernel module bridge stays loaded: it is in use')
  expect(said).toContain('the kernel module br_netfilter stays loaded: the interface mine needs it')
  await run('ip link show mine')
})
