import type { NodeContext } from '../context.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

const FILE = '/etc/cni/net.d/10-flannel.conflist'

/** Tells containerd to ask flannel's plugin for Pod networks; on every node that flannel serves. */
export const cniConfig: Phase<NodeContext> = {
  name: 'cni/config',
  title: 'Configure the Pod network',
  runIf: ({ settings }) => (settings.cni === 'flannel' ? true : '--cni=none'),
  verify: async ({ host }) => (await host.stat(FILE)) !== undefined,
  run: async ({ host }) => {
    await templateFile(host, FILE, 'kubernetes/flannel/10-flannel.conflist')
  },
}
