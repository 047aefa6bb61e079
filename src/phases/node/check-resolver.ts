import type { NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'
import { isLoopback, kubeletResolvConf, nameserversOf } from './resolver.ts'

/** Whether the kubelet can give Pods a resolv.conf. Without the file it starts no Pod at all. */
export async function checkResolver(ctx: NodeContext): Promise<Problem[]> {
  const path = await kubeletResolvConf(ctx)
  if (path === undefined) return []
  const text = await ctx.host.readFile(path)
  if (text === undefined) {
    const what =
      (await ctx.host.stat(path))?.type === 'symlink' ? 'is a link to a file that is not there' : 'is missing'
    const why = `${path} ${what}, and without it the kubelet starts no Pod`
    const fix = `make it; on a machine without a nameserver an empty one will do: \`rm -f ${path} && touch ${path}\``
    return [{ check: 'ResolvConf', severity: 'error', text: `${why}: ${fix}` }]
  }
  const loopback = nameserversOf(text).filter(isLoopback)
  if (loopback.length === 0) return []
  return [
    {
      check: 'ResolvConf',
      severity: 'warning',
      text: `${path} names ${loopback.join(', ')}, which is another address inside each Pod: Pods without cluster DNS resolve nothing, and CoreDNS goes on without it; name a real nameserver, or set resolvConf in a KubeletConfiguration to a file that does`,
    },
  ]
}
