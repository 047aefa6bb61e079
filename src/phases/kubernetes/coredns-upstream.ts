import { applyTemplate, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { InitContext } from '../context.ts'
import { isLoopback, kubeletResolvConf, nameserversOf } from '../node/resolver.ts'
import type { Phase } from '../workflow.ts'

interface ConfigMap {
  readonly data?: { readonly Corefile?: string }
}

/** The nameservers that CoreDNS can ask: a loopback address is CoreDNS itself in its Pod, and it ends when it sees that. */
async function upstreams(ctx: InitContext): Promise<{ usable: string[]; complete: boolean }> {
  const path = await kubeletResolvConf(ctx)
  const all = nameserversOf((path === undefined ? undefined : await ctx.host.readFile(path)) ?? '')
  const usable = all.filter((address) => !isLoopback(address))
  return { usable, complete: usable.length > 0 && usable.length === all.length }
}

/** The Corefile without its `forward` plugin: one line, or a block in braces. */
export function withoutForward(corefile: string): string {
  return corefile.replace(/^[ \t]*forward [^\n{]*(\{[^}]*\})?[ \t]*\n/m, '')
}

/** The Corefile whose `forward` plugin asks these nameservers instead of those of a file. */
export function withForward(corefile: string, servers: readonly string[]): string {
  return corefile.replace(/^([ \t]*forward \.) \S+/m, `$1 ${servers.join(' ')}`)
}

/**
 * Without any nameserver (an air-gapped site) CoreDNS ends with "plugin/forward: no nameservers found", and with one on a
 * loopback address with "Loop detected", again and again. It then asks the other nameservers, or answers the cluster's names only.
 */
export const coreDnsUpstream: Phase<InitContext> = {
  name: 'addon/coredns-upstream',
  title: 'Let CoreDNS do without a nameserver',
  runIf: async (ctx) => {
    if (ctx.settings.dryRun) return 'the cluster is asked then'
    if (ctx.skips('addon/coredns')) return 'CoreDNS is not installed'
    return (await upstreams(ctx)).complete ? 'this machine has a nameserver' : true
  },
  run: async (ctx) => {
    const { host, emit } = ctx
    const config = await kubectlGet<ConfigMap>(host, ['configmap', 'coredns', '-n', 'kube-system'])
    const corefile = config?.data?.Corefile
    const { usable } = await upstreams(ctx)
    if (corefile === undefined) return
    const wanted = usable.length === 0 ? withoutForward(corefile) : withForward(corefile, usable)
    if (wanted === corefile) return
    await applyTemplate(host, 'kubernetes/coredns-config.yaml', { corefile: wanted })
    if (usable.length === 0)
      emit({
        type: 'warning',
        text: 'this machine has no nameserver that a Pod can reach: CoreDNS answers names of the cluster only; for others put a forward line into ConfigMap kube-system/coredns',
      })
  },
}
