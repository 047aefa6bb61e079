import { describe, expect, test } from 'vitest'
import { MachineHost } from '../../../src/host/machine-host.ts'
import { containerProcesses } from '../../../src/phases/reset/containers.ts'
import { MemoryMachine } from '../../host/memory-machine.ts'

interface Fake {
  readonly parent?: number
  readonly command: string
  readonly cgroup: string
  readonly state?: string
}

const SHIM = '/usr/local/bin/containerd-shim-runc-v2 -namespace k8s.io'

async function find(list: Readonly<Record<number, Fake>>, withShims: boolean): Promise<number[]> {
  const machine = new MemoryMachine()
  for (const [pid, { parent = 1, command, cgroup, state = 'S' }] of Object.entries(list)) {
    await machine.put(`/proc/${pid}/status`, `Name:\tx\nState:\t${state} (x)\nPPid:\t${parent}\n`)
    await machine.put(`/proc/${pid}/cmdline`, command === '' ? '' : `${command.replaceAll(' ', '\0')}\0`)
    await machine.put(`/proc/${pid}/cgroup`, cgroup)
  }
  const host = new MachineHost(machine, {
    announce: async () => {},
    keep: async () => '',
    hasRecord: async () => false,
  })
  return (await containerProcesses(host, withShims)).map(({ pid }) => pid).sort((a, b) => a - b)
}

const POD = '/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-2.scope'
const on = (path: string): string => `0::${path}\n`

describe('processes of containers', () => {
  const machine: Record<number, Fake> = {
    1: { command: '/sbin/init', cgroup: on('/init.scope') },
    2: { command: '', cgroup: on('/') },
    10: { command: '/usr/local/bin/kubelet', cgroup: on('/system.slice/kubelet.service') },
    20: { command: SHIM, cgroup: on('/system.slice/containerd.service') },
    21: { command: '/pause', parent: 20, cgroup: on(POD) },
    22: { command: 'mine', parent: 20, cgroup: on('/system.slice/mine') },
    23: { command: 'mine too', parent: 22, cgroup: on('/system.slice/mine') },
    30: { command: '/pause', cgroup: on('/kubepods/burstable/pod3/4') },
    40: { command: 'gone', cgroup: on(POD), state: 'Z' },
    50: { command: 'vim /sys/fs/cgroup/kubepods.slice/x', cgroup: on('/user.slice') },
  }

  test("are in the kubelet's groups; the shims count where containerd is edgeadm's", async () => {
    expect(await find(machine, false)).toEqual([21, 30])
    expect(await find(machine, true)).toEqual([20, 21, 22, 23, 30])
  })

  test('with cgroups of version 1', async () => {
    const first = { 1: { command: '/sbin/init', cgroup: '2:memory:/\n1:name=systemd:/init.scope\n' } }
    expect(
      await find(
        { ...first, 9: { command: 'etcd', cgroup: `4:memory:${POD}\n1:name=systemd:${POD}\n` } },
        true,
      ),
    ).toEqual([9])
  })

  test('are not those of machines inside this one', async () => {
    const inner = '/machine.slice/inner.service'
    const list = {
      1: { command: '/sbin/init', cgroup: on('/init.scope') },
      20: { command: SHIM, cgroup: on(`${inner}/system.slice/containerd.service`) },
      21: { command: '/pause', parent: 20, cgroup: on(`${inner}${POD}`) },
    }
    expect(await find(list, true)).toEqual([])
    expect(
      await find({ ...list, 1: { command: '/sbin/init', cgroup: on(`${inner}/init.scope`) } }, true),
    ).toEqual([20, 21])
  })
})
