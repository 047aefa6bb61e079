import type { Host } from '../../host/host.ts'
import { loadedModules } from '../../host/kernel-modules.ts'
import { readBaseline } from '../../network/baseline.ts'
import { moduleUsers } from '../../network/module-users.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/**
 * Modules that the kernel loads by itself when iptables, nft, a CNI plugin, kube-proxy or flannel first ask for what is in
 * them. Drivers of hardware are not among them: their use counts tell nothing.
 */
const ON_DEMAND =
  /^((xt|ipt|ip6t|nft|nf|iptable|ip6table|ebt|ebtable|nfnetlink|ip_set|ip_vs)_.+|(x|ip|ip6|eb)_?tables|nfnetlink|ip_set|ip_vs|bpfilter|libcrc32c|bridge|stp|llc|veth|vxlan|(ip6_)?udp_tunnel|dummy)$/

/**
 * After all else is back: modules that edgeadm loaded, and those that the kernel loaded for Kubernetes' network. One that
 * something uses by now stays, and that is said: taking it away could take that with it.
 */
export const modules: Phase<ResetContext> = {
  name: 'node/modules',
  title: 'Unload kernel modules that Kubernetes needed',
  runIf: async ({ host }) =>
    (await host.probe('systemd-detect-virt', ['--container', '--quiet'])).exitCode === 0
      ? 'a container has no modules of its own'
      : true,
  run: async ({ host, ledger, settings, emit }) => {
    const recorded = (await ledger.entries()).filter((entry) => entry.kind === 'module')
    const own = new Set(recorded.map(({ name }) => name))
    const before = (await readBaseline(ledger.directory))?.modules
    const isMeant = (name: string): boolean =>
      own.has(name) || (before !== undefined && ON_DEMAND.test(name) && !before.includes(name))
    const stay = await unload(host, isMeant, settings.dryRun)
    for (const [name, why] of stay)
      emit({ type: 'warning', text: `the kernel module ${name} stays loaded: ${why}` })
    if (!settings.dryRun) for (const { id } of recorded) await ledger.markUndone(id)
  },
}

/** Resolves with those that stay, and why. */
async function unload(
  host: Host,
  isMeant: (name: string) => boolean,
  dryRun: boolean,
): Promise<Map<string, string>> {
  const userOf = await moduleUsers(host)
  const stay = new Map<string, string>()
  // A module that others need can go after those; what goes makes others free.
  for (;;) {
    const loaded = await loadedModules(host)
    const meant = [...loaded].filter(([name]) => isMeant(name) && !stay.has(name))
    let isDone = true
    for (const [name, useCount] of meant) {
      if (useCount > 0 && !dryRun) continue
      const user = userOf(name) ?? (await remove(host, name))
      if (user === undefined) isDone = dryRun
      else stay.set(name, user)
    }
    if (!isDone) continue
    const left = dryRun ? [] : meant.filter(([name]) => !stay.has(name))
    for (const [name] of left) stay.set(name, 'it is in use')
    return stay
  }
}

/** Why it does not go. */
async function remove(host: Host, name: string): Promise<string | undefined> {
  const { exitCode, stderr } = await host.run('rmmod', [name], {
    title: `unload kernel module ${name}`,
    undo: null,
    okExitCodes: [0, 1],
  })
  return exitCode === 0 ? undefined : stderr.trim()
}
