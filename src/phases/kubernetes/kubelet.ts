import { BIN, type NodeContext } from '../context.ts'
import { installFromPackage, isInstalled } from '../install.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

const NAMES = new Set(['kubeadm', 'kubelet', 'kubectl'])

const placeOf = (name: string): string | undefined => (NAMES.has(name) ? `${BIN}/${name}` : undefined)

/** Binaries of Kubernetes and the kubelet's unit, as Kubernetes' own packages have them. kubeadm starts it. */
export const kubelet: Phase<NodeContext> = {
  name: 'kubernetes/kubelet',
  title: 'Install kubeadm, kubelet and kubectl',
  inputs: ({ manifest }) => manifest?.files.filter(({ path }) => NAMES.has(path.replace(/^bin\//, ''))),
  verify: async (ctx) =>
    (ctx.manifest === undefined || (await isInstalled(ctx, 'bin/', placeOf))) &&
    (await ctx.host.serviceState('kubelet.service')).enabled,
  run: async (ctx) => {
    // The distribution's kubelet has a unit of its own; the node has to come back after a boot.
    if (ctx.manifest === undefined) {
      await ctx.host.service('kubelet.service', { enabled: true })
      return
    }
    await installFromPackage(ctx, 'bin/', placeOf)
    await templateFile(ctx.host, '/etc/systemd/system/kubelet.service', 'kubernetes/kubelet.service', {
      bin: BIN,
    })
    await templateFile(
      ctx.host,
      '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
      'kubernetes/10-kubeadm.conf',
      { bin: BIN },
    )
    // The kubelet watches a folder that is there when it starts; for one that comes later it looks every 20 seconds.
    await ctx.host.makeDirectory('/etc/kubernetes/manifests', { mode: 0o700 })
    await ctx.host.service('kubelet.service', { enabled: true })
  },
}
