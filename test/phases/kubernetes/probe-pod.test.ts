import { expect, test } from 'vitest'
import { processesOf, reasonIn, startProbePod } from '../../../src/phases/kubernetes/probe-pod.ts'
import { initOn, machine } from '../node/machine.ts'

const LINE = String.raw`E1126 17:03:11.1 700 pod_workers.go:1301] "Error syncing pod, skipping" err="failed to \"CreatePodSandbox\" for \"edgeadm-probe-m_kube-system(1)\" with CreatePodSandboxError: \"Failed to create sandbox for pod \\\"edgeadm-probe-m_kube-system(1)\\\": rpc error: code = Unknown desc = failed to setup network for sandbox \\\"d5c2f1\\\": plugin type=\\\"calico\\\" failed (add): failed to find plugin \\\"calico\\\" in path [/opt/cni/bin]\"" pod="kube-system/edgeadm-probe-m" podUID="1"`

test("the kubelet's words about the Pod are those of the CNI plugin", () => {
  const others = 'E1126 17:03:12.1 700 kubelet.go:1] "Something else" err="x"'
  expect(reasonIn(`${LINE}\n${others}\n`)).toBe(
    'plugin type="calico" failed (add): failed to find plugin "calico" in path [/opt/cni/bin]',
  )
  expect(reasonIn(others)).toBeUndefined()
})

test("its processes are those in its control groups, whatever names the kubelet's driver gives them", async () => {
  const on = machine()
  const { host } = initOn(on)
  const pod = await startProbePod(host, '/etc/kubernetes/manifests', 'pause:3.10')
  expect(await host.readFile(pod.path)).toContain(`  uid: ${pod.uid}\n`)
  const put = async (pid: number, cgroup: string): Promise<void> => {
    await on.put(`/proc/${pid}/status`, 'State:\tS (sleeping)\nPPid:\t1\n')
    await on.put(`/proc/${pid}/cgroup`, cgroup)
    await on.put(`/proc/${pid}/cmdline`, '/pause\0')
  }
  const slice = `kubepods-besteffort-pod${pod.uid.replaceAll('-', '_')}.slice`
  await put(7, `0::/kubepods.slice/kubepods-besteffort.slice/${slice}/cri-containerd-1.scope\n`)
  await put(8, `3:memory:/kubepods/besteffort/pod${pod.uid}/1\n`)
  await put(9, '0::/kubepods.slice/kubepods-besteffort-pod00000000_1.slice/cri-containerd-2.scope\n')
  expect((await processesOf(host, pod)).map(({ pid }) => pid)).toEqual([7, 8])
})
