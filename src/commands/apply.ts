import { Flags } from '@oclif/core'
import { EdgeadmError } from '../output/errors.ts'
import { bytes as sizeText } from '../output/text.ts'
import { templateText } from '../templates.ts'
import { BaseCommand } from './base.ts'
import { askSecrets, fleetFlags, ownExecutable } from './fleet/flags.ts'

export default class Apply extends BaseCommand {
  static override summary = 'Bring all hosts of an inventory to what the file says, over SSH'
  static override description =
    `Connects to all hosts, looks at them together, shows what is to be done and asks. Then: the first master, the other masters
one by one, workers and edge nodes side by side; labels and taints that changed; hosts with state: absent leave last.
Run again it changes nothing, or goes on where it stopped. A run on a host outlives this one: after a broken connection or a
second Ctrl-C the same command waits for its end. Exit codes: 11 some hosts failed, 12 some did not answer.`
  static override examples = [
    '<%= config.bin %> apply --print-example > cluster.yaml',
    '<%= config.bin %> apply -f cluster.yaml',
    '<%= config.bin %> apply -f cluster.yaml --yes --output json',
  ]
  static override flags = {
    ...fleetFlags,
    yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
    prune: Flags.boolean({
      description:
        "Also take nodes out of the cluster that carry this fleet's label and are no longer in the file",
    }),
    'print-example': Flags.boolean({ description: 'Print an inventory to begin with, and do nothing' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Apply)
    const { filename } = flags
    if (flags['print-example']) {
      const example = templateText('fleet/cluster.yaml')
      return this.result(example.trimEnd(), { example })
    }
    if (filename === undefined)
      throw new EdgeadmError('usage', '-f is missing: the inventory', {
        fix: '`edgeadm apply --print-example > cluster.yaml` writes one to begin with',
      })
    const { apply, outcomeError } = await import('../fleet/index.ts')
    const detach = new AbortController()
    let isStopping = false
    this.handleInterrupts((count) => {
      isStopping = true
      if (count > 1)
        detach.abort(
          new EdgeadmError('interrupted', 'detached: what was begun on hosts goes on there', {
            fix: 'the same command attaches to it again',
          }),
        )
      else
        this.reporting.emit({
          type: 'warning',
          text: 'Ctrl-C: no further host is begun, and what runs is waited for; once more leaves the hosts alone with it',
        })
    })
    const result = await apply({
      file: filename,
      limits: flags.limit ?? [],
      acceptNewHostKeys: flags['accept-new-host-keys'],
      secrets: await askSecrets(flags),
      executable: ownExecutable(),
      json: flags.output === 'json',
      prune: flags.prune,
      mayBegin: () => !isStopping,
      confirm: async () => flags.yes || this.#ask(),
      reporting: { ...this.reporting, signal: AbortSignal.any([this.reporting.signal, detach.signal]) },
    })
    const { outcomes, folder, text, changed, bytes } = result
    const traffic =
      bytes.sent + bytes.relayed === 0
        ? ''
        : `\nFiles: ${sizeText(bytes.sent)} left this machine, and hosts of sites gave each other ${sizeText(bytes.relayed)}.`
    this.result(changed ? `${text}${traffic}` : `${text}\nNothing was to be done.`, {
      changed,
      folder,
      bytes,
      hosts: outcomes.map(({ host, state, text: what, ms }) => ({
        host: host.name,
        role: host.role,
        ...(host.site === undefined ? {} : { site: host.site }),
        state,
        text: what,
        ms,
      })),
    })
    detach.signal.throwIfAborted()
    const error = outcomeError(outcomes)
    if (error !== undefined) throw error
  }

  async #ask(): Promise<boolean> {
    if (!process.stdin.isTTY)
      throw new EdgeadmError(
        'usage',
        '`edgeadm apply` asks before it acts, and there is no terminal to ask on',
        {
          fix: 'give --yes; `edgeadm plan` shows what would be done',
        },
      )
    return this.confirm('Do this?')
  }
}
