import { BIN, isControlPlane, type NodeContext } from '../context.ts'
import { installFromPackage } from '../install.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

const NAMES = new Set(['kubeadm', 'kubelet', 'kubectl'])

/** What kubeadm, the kubelet and the CNI plugins will make; reset removes it. */
const MADE_LATER = [
  '/etc/kubernetes',
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/etc/cni/net.d',
  '/run/flannel',
  '/usr/libexec/kubernetes',
  '/var/lib/kube-proxy',
]

/** Binaries of Kubernetes and the kubelet's unit, as Kubernetes' own packages have them. kubeadm starts it. */
export const kubelet: Phase<NodeContext> = {
  name: 'kubernetes/kubelet',
  title: 'Install kubeadm, kubelet and kubectl',
  runIf: ({ manifest }) => (manifest === undefined ? 'no package was given' : true),
  inputs: ({ manifest }) => manifest?.files.filter(({ path }) => NAMES.has(path.replace(/^bin\//, ''))),
  verify: async ({ host }) => {
    for (const name of NAMES) if ((await host.stat(`${BIN}/${name}`)) === undefined) return false
    return (await host.serviceState('kubelet.service')).enabled
  },
  run: async (ctx) => {
    const paths = isControlPlane(ctx.settings) ? [...MADE_LATER, '/var/lib/etcd'] : MADE_LATER
    for (const path of paths) await ctx.host.claim(path)
    await installFromPackage(ctx, 'bin/', (name) => (NAMES.has(name) ? `${BIN}/${name}` : undefined))
    await templateFile(ctx.host, '/etc/systemd/system/kubelet.service', 'kubernetes/kubelet.service', {
      bin: BIN,
    })
    await templateFile(
      ctx.host,
      '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
      'kubernetes/10-kubeadm.conf',
      { bin: BIN },
    )
    await ctx.host.service('kubelet.service', { enabled: true })
  },
}
