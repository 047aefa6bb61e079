import { BIN, type NodeContext } from '../context.ts'
import { installFromPackage } from '../install.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

const NAMES = new Set(['kubeadm', 'kubelet', 'kubectl'])

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
