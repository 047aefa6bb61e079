import type { Host } from '../../host/host.ts'
import { readBaseline } from '../../network/baseline.ts'
import { type FirewallProgram, firewallPrograms } from '../../network/firewall-programs.ts'
import { leftovers, type Removal } from '../../network/ruleset.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** Rules may change between reading and removing; then nothing was done, and reading again helps. */
const TRIES = 3

/**
 * Takes the chains of kube-proxy, the kubelet, CNI plugins and flannel out of the firewall, and the rules that lead into
 * them; in one transaction per table, without touching a policy or anyone else's rule. A connection over SSH never notices.
 */
export const rules: Phase<ResetContext> = {
  name: 'network/rules',
  title: "Remove Kubernetes' firewall rules",
  runIf: async ({ ledger }) =>
    (await readBaseline(ledger.directory)) === undefined
      ? 'Kubernetes never came to change the network'
      : true,
  run: async ({ host, ledger }) => {
    const before = await readBaseline(ledger.directory)
    if (before === undefined) return
    const { programs } = await firewallPrograms(host)
    for (const program of programs) await clean(host, program, before.rules[program.flavour])
  },
}

async function clean(
  host: Host,
  program: FirewallProgram,
  before: readonly string[] | undefined,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const removals = leftovers(await program.read(), before)
    if (removals.length === 0) return
    try {
      await program.remove(host, removals, titleOf(program, removals))
      return
    } catch (error) {
      if (!(error instanceof EdgeadmError) || attempt === TRIES) throw error
    }
  }
}

function titleOf(program: FirewallProgram, removals: readonly Removal[]): string {
  const chains = removals.flatMap((removal) => removal.chains).length
  const rules = removals.flatMap((removal) => removal.rules).length
  return `remove ${chains} chains and ${rules} rules into them with ${program.name}`
}
