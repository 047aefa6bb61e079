/** `--ha=external` and `--ha=none`, which becomes haproxy and keepalived later. The worker plays the balancer of others. */

import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cutMachine, healMachine } from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { eventually } from './eventually.ts'
import { holders } from './ha-measure.ts'
import { useLab } from './machines.ts'

const VIP = '10.123.0.241'
const MASTERS = ['master-1', 'master-2']
const MACHINES = [...MASTERS, 'worker-1']
const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
const lab = useLab({ masters: 2, workers: 1, edges: 1, executable: EXECUTABLE, package: PACKAGE })

async function edgeadm(machine: string, ...args: string[]): Promise<string> {
  const result = await lab.probe(machine, ['edgeadm', ...args])
  expect(result.exitCode, result.stderr).toBe(0)
  return result.stdout + result.stderr
}

describe('a balancer of others', () => {
  const init = ['init', '--ha=external', '--control-plane-endpoint=10.123.0.51:7443', ...WITH_PACKAGE]
  /** The balancer's ports, and the master's that they lead to. */
  const balance = async (ports: readonly [number, number][]): Promise<void> => {
    for (const [from, to] of ports) {
      const forward = [`TCP-LISTEN:${from},fork,reuseaddr`, `TCP:10.123.0.11:${to}`]
      await lab.run('worker-1', ['systemd-run', '--quiet', `--unit=balancer-${from}`, 'socat', ...forward])
    }
  }

  test('that does not lead here ends init with the reason; mended, the same command goes on', async () => {
    const result = await lab.probe('master-1', ['edgeadm', ...init])
    expect(result.exitCode).toBe(8)
    expect(result.stderr).toContain('10.123.0.51:7443 to reach the API server of this master')
    expect(result.stderr).toContain('10.123.0.51:7443 refused the connection')
    expect(result.stderr).toContain('let your balancer pass connections on to this machine')
    await balance([[7443, 6443]])
    await edgeadm('master-1', ...init)
  })

  test('is what the cluster has as its endpoint, and nothing was installed for it', async () => {
    const config = await lab.run('master-1', ['cat', '/etc/kubernetes/admin.conf'])
    expect(config).toContain('server: https://10.123.0.51:7443')
    expect(await lab.run('master-1', ['kubectl', 'get', '--raw', '/readyz'])).toBe('ok')
    const manifests = await lab.run('master-1', ['ls', '/etc/kubernetes/manifests'])
    expect(manifests).not.toMatch(/haproxy|keepalived/)
    expect((await lab.probe('master-1', ['test', '-e', '/etc/edgeadm/load-balancer'])).exitCode).toBe(1)
  })

  test('leads edge nodes to CloudCore, whose ports it passes on', async () => {
    await balance([10000, 10002, 10004].map((port) => [port, port]))
    await cutMachine(lab.name, 'edge-1', MASTERS)
    const line = await lab.run('master-1', ['edgeadm', 'token', 'create', '--print-join-command'])
    await edgeadm('edge-1', ...line.trim().split(/\s+/).slice(1), ...WITH_PACKAGE)
    const config = await lab.run('edge-1', ['cat', '/etc/kubeedge/config/edgecore.yaml'])
    for (const port of [10000, 10002, 10004]) expect(config).toContain(`10.123.0.51:${port}`)
    expect(config).not.toContain('10.123.0.11')
    expect(await edgeadm('edge-1', 'check', 'edge')).not.toContain('FAIL')
    const pods = ['-n', 'kubeedge', '-l', 'app=edge-check', '-o', 'name']
    const pod = (await lab.run('master-1', ['kubectl', 'get', 'pods', ...pods])).trim()
    // Through the tunnel, which the edge node opened through the balancer as well.
    await eventually(
      () => lab.run('master-1', ['kubectl', '-n', 'kubeedge', 'exec', pod, '--', '/pause', '-v']),
      (said) => said.includes('pause.c'),
      60_000,
    )
    await edgeadm('edge-1', 'reset', '--force')
    await healMachine(lab.name, 'edge-1')
    await edgeadm('master-1', 'reset', '--force')
    await lab.run('worker-1', ['systemctl', 'stop', 'balancer-*'])
  })
})

describe('a name as endpoint', () => {
  const named = async (address: string) => {
    for (const machine of MACHINES)
      await lab.run(machine, [
        'sh',
        '-c',
        `sed '/ cp.test$/d' /etc/hosts >/tmp/hosts; echo '${address} cp.test' >>/tmp/hosts; cat /tmp/hosts >/etc/hosts`,
      ])
  }
  const workloads = () =>
    lab.run('master-1', ['kubectl', '-n', 'kubeedge', 'get', 'deployment,daemonset', '-o', 'name'])
  const answers = (url: string) =>
    lab.run('worker-1', ['curl', '-sS', '--max-time', '3', '--cacert', '/etc/kubernetes/pki/ca.crt', url])

  test('leads to the first master, and others join there', async () => {
    await named('10.123.0.11')
    await edgeadm(
      'master-1',
      'init',
      '--control-plane-endpoint=cp.test:6443',
      '--upload-certs',
      ...WITH_PACKAGE,
    )
    const line = (...flags: string[]) =>
      lab.run('master-1', ['edgeadm', 'token', 'create', '--print-join-command', ...flags])
    for (const [machine, flags] of [
      ['master-2', ['--control-plane']],
      ['worker-1', []],
    ] as const) {
      const [, ...words] = (await line(...flags)).trim().split(/\s+/)
      await edgeadm(machine, ...words, '--enable-edge=false', ...WITH_PACKAGE)
    }
    const kinds = await workloads()
    expect(kinds).toContain('deployment.apps/cloudcore')
  })

  test('later becomes haproxy and keepalived, told what is left to do', async () => {
    const flags = ['--ha=haproxy-keepalived', `--control-plane-endpoint=${VIP}:8443`, ...WITH_PACKAGE]
    for (const machine of MASTERS) {
      const said = await edgeadm(machine, 'init', 'phase', 'load-balancer', ...flags)
      expect(said).toContain(`let cp.test lead to ${VIP} on every machine now`)
      expect(said).toContain('find CloudCore at cp.test')
    }
    await named(VIP)
    await edgeadm('master-1', 'init', 'phase', 'edge', ...flags)
    const kinds = await workloads()
    expect(kinds).toContain('daemonset.apps/cloudcore')
    expect(kinds).not.toContain('deployment.apps/cloudcore')
  })

  test('then answers through either master, at both ports', async () => {
    const [first = ''] = await eventually(
      () => holders(lab, MASTERS, VIP),
      (all) => all.length === 1,
      20_000,
    )
    for (const port of [6443, 8443]) expect(await answers(`https://cp.test:${port}/readyz`)).toBe('ok')
    // keepalived is kept from starting again, so that the address has to move.
    const manifest = '/etc/kubernetes/manifests/keepalived.yaml'
    await lab.run(first, ['mv', manifest, '/root/keepalived.yaml'])
    const others = MASTERS.filter((name) => name !== first)
    await eventually(
      () => holders(lab, others, VIP),
      (all) => all.length === 1,
      30_000,
    )
    for (const port of [6443, 8443])
      await eventually(
        () => answers(`https://cp.test:${port}/readyz`),
        (text) => text === 'ok',
        20_000,
      )
    await lab.run(first, ['mv', '/root/keepalived.yaml', manifest])
  })
})
