import { Args, Flags } from '@oclif/core'
import { resetFlags } from '../../config/flags.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { BaseCommand } from '../base.ts'
import { askSecrets, fleetFlags } from '../fleet/flags.ts'

export default class Reset extends BaseCommand {
  static override summary = 'Put this machine back as it was before edgeadm'
  static override description =
    `Stops what runs here (nothing is drained), runs kubeadm's reset, removes the Pod network, and takes back every change
that init or join recorded: files, units, kernel parameters and modules, firewall rules. What cannot be put back is named.
It needs neither the package nor an API server, and an interrupted reset can be repeated.

With --remove-node and the name of another node, on a master, that node is taken out of the cluster instead: its Node, its
Pods and what was granted to it. A machine that is to join again under the name, or never comes back, needs that.`
  static override examples = [
    '<%= config.bin %> reset',
    '<%= config.bin %> reset --force --remove-node',
    '<%= config.bin %> reset --dry-run',
    '<%= config.bin %> reset --remove-node edge-1',
  ]
  static override flags = {
    ...resetFlags,
    // -f is kubeadm's --force.
    filename: Flags.string({
      description: 'An inventory (kind: Cluster): reset all its hosts, over SSH, and not this machine',
      helpValue: 'FILE',
    }),
    limit: fleetFlags.limit,
    'accept-new-host-keys': fleetFlags['accept-new-host-keys'],
    'ask-password': fleetFlags['ask-password'],
    'ask-sudo-password': fleetFlags['ask-sudo-password'],
  }
  static override args = {
    node: Args.string({
      ignoreStdin: true,
      description:
        'With --remove-node: the node to take out of the cluster (default: this machine, with its reset)',
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Reset)
    const confirm = process.stdin.isTTY ? (question: string) => this.confirm(question) : undefined
    const { node } = args
    if (flags.filename !== undefined) return this.#fleet(flags.filename, flags)
    if (node !== undefined) {
      if (flags['remove-node'] !== true)
        throw new EdgeadmError('usage', `reset acts on this machine, and ${node} was named`, {
          fix: `run \`edgeadm reset\` on ${node} itself; \`edgeadm reset --remove-node ${node}\` takes it out of the cluster`,
        })
      const { removeNodeFromCluster } = await import('../../run/remove-node.ts')
      return removeNodeFromCluster({ node, flags, reporting: this.reporting, confirm })
    }
    const { runReset } = await import('../../run/reset.ts')
    await runReset({ flags, reporting: this.reporting, confirm })
  }

  async #fleet(
    file: string,
    flags: {
      force: boolean
      output: string
      limit: string[] | undefined
      'accept-new-host-keys': boolean
      'ask-password': boolean
      'ask-sudo-password': boolean
    },
  ): Promise<void> {
    const { reset, outcomeError } = await import('../../fleet/index.ts')
    const { outcomes, text, folder } = await reset({
      file,
      limits: flags.limit ?? [],
      acceptNewHostKeys: flags['accept-new-host-keys'],
      secrets: await askSecrets(flags),
      json: flags.output === 'json',
      reporting: this.reporting,
      confirm: async (hosts) => {
        if (flags.force) return true
        if (!process.stdin.isTTY)
          throw new EdgeadmError(
            'usage',
            '`edgeadm reset` asks before it acts, and there is no terminal to ask on',
            {
              fix: 'give --force if all these machines are to be put back as they were before edgeadm',
            },
          )
        const names = hosts.map(({ name }) => name).join(', ')
        return this.confirm(
          `Put ${names} back as they were before edgeadm, and lose what runs and is stored there?`,
        )
      },
    })
    this.result(text, {
      folder,
      hosts: outcomes.map(({ host, state, text: what }) => ({ host: host.name, state, text: what })),
    })
    const error = outcomeError(outcomes)
    if (error !== undefined) throw error
  }
}
