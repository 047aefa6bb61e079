import { applyTemplate, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

interface ConfigMap {
  readonly data?: { readonly Corefile?: string }
}

/** What the kubelet hands to Pods with `dnsPolicy: Default`; systemd-resolved's own file where its stub is in use, as kubeadm chooses. */
const RESOLV_CONFS = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf']

async function hasNameserver(host: InitContext['host']): Promise<boolean> {
  for (const path of RESOLV_CONFS) {
    if (/^\s*nameserver\s+\S/m.test((await host.readFile(path)) ?? '')) return true
  }
  return false
}

/** The Corefile without its `forward` plugin: one line, or a block in braces. */
export function withoutForward(corefile: string): string {
  return corefile.replace(/^[ \t]*forward [^\n{]*(\{[^}]*\})?[ \t]*\n/m, '')
}

/**
 * On a machine without any nameserver (an air-gapped site) CoreDNS ends with "plugin/forward: no nameservers found", again
 * and again. It then gets a Corefile that answers the cluster's names only.
 */
export const coreDnsUpstream: Phase<InitContext> = {
  name: 'addon/coredns-upstream',
  title: 'Let CoreDNS do without a nameserver',
  runIf: async ({ host, settings, skips }) => {
    if (settings.dryRun) return 'the cluster is asked then'
    if (skips('addon/coredns')) return 'CoreDNS is not installed'
    return (await hasNameserver(host)) ? 'this machine has a nameserver' : true
  },
  verify: async () => true,
  run: async ({ host, emit }) => {
    const config = await kubectlGet<ConfigMap>(host, ['configmap', 'coredns', '-n', 'kube-system'])
    const corefile = config?.data?.Corefile
    if (corefile === undefined || withoutForward(corefile) === corefile) return
    await applyTemplate(host, 'kubernetes/coredns-config.yaml', { corefile: withoutForward(corefile) })
    emit({
      type: 'warning',
      text: 'this machine has no nameserver: CoreDNS answers names of the cluster only; for others put a forward line into ConfigMap kube-system/coredns',
    })
  },
}
