import { render } from '../../templates.ts'
import type { NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

const FILE = '/etc/hosts'

/** Whether the file gives an address to this name. */
export function names(hosts: string, name: string): boolean {
  return hosts
    .split('\n')
    .some((line) => (line.split('#')[0] ?? '').trim().split(/\s+/).slice(1).includes(name))
}

/**
 * The node's name has to resolve without a resolver: where none answers (air-gapped sites), each look-up of kubeadm, the
 * kubelet and etcd would wait for its time-out.
 */
export const hosts: Phase<NodeContext> = {
  name: 'node/hosts',
  title: 'Make the node name resolve',
  runIf: async ({ host, settings }) => {
    const text = (await host.readFile(FILE)) ?? ''
    return names(text, settings.node.name) ? `${FILE} has ${settings.node.name}` : true
  },
  run: async (ctx) => {
    const { host, settings } = ctx
    const text = (await host.readFile(FILE)) ?? ''
    const separator = text === '' || text.endsWith('\n') ? '' : '\n'
    const entry = render('node/hosts-entry', { address: settings.node.address, name: settings.node.name })
    await host.writeFile(FILE, `${text}${separator}${entry}`)
  },
}
