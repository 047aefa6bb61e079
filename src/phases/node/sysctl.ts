import type { NodeContext } from '../context.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

const FILE = '/etc/sysctl.d/99-edgeadm.conf'

/** Kubernetes documentation, "Container Runtimes"; IPv6 forwarding only where IPv6 is used. */
function parameters({ settings }: NodeContext): Record<string, string> {
  const ipv6 =
    settings.command === 'init' && `${settings.podSubnet ?? ''}${settings.serviceSubnet}`.includes(':')
  return {
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
    'net.ipv4.ip_forward': '1',
    ...(ipv6 ? { 'net.ipv6.conf.all.forwarding': '1', 'net.ipv6.conf.default.forwarding': '1' } : {}),
  }
}

export const sysctl: Phase<NodeContext> = {
  name: 'node/sysctl',
  title: 'Set kernel parameters',
  inputs: parameters,
  verify: async (ctx) => {
    for (const [key, value] of Object.entries(parameters(ctx))) {
      if ((await ctx.host.readFile(`/proc/sys/${key.replaceAll('.', '/')}`))?.trim() !== value) return false
    }
    return true
  },
  run: async (ctx) => {
    const wanted = parameters(ctx)
    await templateFile(ctx.host, FILE, 'node/sysctl.conf', { parameters: wanted })
    for (const [key, value] of Object.entries(wanted)) await ctx.host.sysctl(key, value)
  },
}
