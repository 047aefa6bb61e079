import { isIP } from 'node:net'
import { basename } from 'node:path'
import { hostOf } from '../../config/names.ts'
import type { NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

/** systemd reads files of all directories by name; Debian has /etc/sysctl.conf linked as 99-sysctl.conf, which comes before. */
const FILE = '/etc/sysctl.d/99-zz-edgeadm.conf'
const DIRECTORIES = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d']

/** What the kubelet wants to find when it may not set it (`protectKernelDefaults`): `setupKernelTunables` in pkg/kubelet/cm. */
const KUBELET_DEFAULTS = {
  'vm.overcommit_memory': '1',
  'vm.panic_on_oom': '0',
  'kernel.panic': '10',
  'kernel.panic_on_oops': '1',
  'kernel.keys.root_maxkeys': '1000000',
  'kernel.keys.root_maxbytes': '25000000',
}

/** Kubernetes documentation, "Container Runtimes"; IPv6 forwarding only where IPv6 is used. */
function parameters({ settings }: NodeContext): Record<string, string> {
  return {
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
    'net.ipv4.ip_forward': '1',
    ...(usesIPv6(settings)
      ? { 'net.ipv6.conf.all.forwarding': '1', 'net.ipv6.conf.default.forwarding': '1' }
      : {}),
    ...(settings.documents.KubeletConfiguration?.protectKernelDefaults === true ? KUBELET_DEFAULTS : {}),
  }
}

/** On join as kubeadm's pre-flight check decides it: by the address of the API server. */
function usesIPv6(settings: NodeContext['settings']): boolean {
  if (settings.command === 'init') return `${settings.podSubnet ?? ''}${settings.serviceSubnet}`.includes(':')
  return settings.discovery.kind === 'token' && isIP(hostOf(settings.discovery.endpoint)) === 6
}

/** Files that are read after edgeadm's at boot and say otherwise. */
export async function checkSysctl(ctx: NodeContext): Promise<Problem[]> {
  const wanted = parameters(ctx)
  const problems: Problem[] = []
  for (const directory of DIRECTORIES) {
    for (const name of await ctx.host.list(directory)) {
      if (!name.endsWith('.conf') || name <= basename(FILE)) continue
      const path = `${directory}/${name}`
      for (const [key, value] of assignments((await ctx.host.readFile(path)) ?? '')) {
        if (wanted[key] === undefined || wanted[key] === value) continue
        const text = `${path} sets ${key} to ${value} at boot, after edgeadm's own file, and this node needs ${wanted[key]}: take the line out`
        problems.push({ check: 'Sysctl', severity: 'error', text })
      }
    }
  }
  return problems
}

/** Keys with dots. sysctl.d(5): `key = value`, `-` before a key whose failure is ignored, comments with # or ;. */
function assignments(text: string): [key: string, value: string][] {
  return [...text.matchAll(/^[ \t]*-?([\w./-]+)[ \t]*=[ \t]*(.*?)[ \t]*$/gm)].map(
    ([, key = '', value = '']) => [key.replaceAll('/', '.'), value],
  )
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
