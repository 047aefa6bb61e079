import type { Host } from '../../host/host.ts'
import { readBaseline } from '../../network/baseline.ts'
import {
  type Link,
  leftoverLinks,
  leftoverNamespaces,
  links as linksOf,
  namespaceNames,
} from '../../network/links.ts'
import { awaitCondition } from '../await.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** Milliseconds. The kernel takes a namespace's devices away a moment after the namespace. */
const LIMIT = 10_000

export const links: Phase<ResetContext> = {
  name: 'network/links',
  title: "Remove Pods' network namespaces and interfaces",
  runIf: async ({ ledger }) =>
    (await readBaseline(ledger.directory)) === undefined
      ? 'Kubernetes never came to change the network'
      : true,
  run: async ({ host, ledger, settings, signal }) => {
    const before = await readBaseline(ledger.directory)
    if (before === undefined) return
    for (const name of leftoverNamespaces(await namespaceNames(host), before.namespaces)) {
      await host.run('ip', ['netns', 'delete', name], {
        title: `delete network namespace ${name}`,
        undo: null,
      })
    }
    const ports = async (): Promise<Link[]> =>
      leftoverLinks(await linksOf(host), before.links).filter(({ kind }) => kind === 'veth')
    if (!settings.dryRun) await awaitGone(ports, signal)
    for (const { name } of leftoverLinks(await linksOf(host), before.links)) await deleteLink(host, name)
  },
}

/** Those whose other end is not in a Pod's namespace stay, and are deleted by name. */
async function awaitGone(ports: () => Promise<Link[]>, signal: AbortSignal): Promise<void> {
  const end = Date.now() + LIMIT
  await awaitCondition('the interfaces of Pods to go', 2 * LIMIT, signal, async () => {
    return (await ports()).length === 0 || Date.now() > end
  })
}

async function deleteLink(host: Host, name: string): Promise<void> {
  // 1: the kernel was faster.
  await host.run('ip', ['link', 'delete', 'dev', name], {
    title: `delete interface ${name}`,
    undo: null,
    okExitCodes: [0, 1],
  })
}
