import { EdgeadmError, EXIT_CODES } from '../output/errors.ts'
import { BaseCommand } from './base.ts'
import { askSecrets, fleetFlags, ownExecutable } from './fleet/flags.ts'

export default class Plan extends BaseCommand {
  static override summary = 'Show what apply would do on the hosts of an inventory, and change nothing'
  static override description = 'The exit code is 10 if there is anything to do.'
  static override examples = [
    '<%= config.bin %> plan -f cluster.yaml',
    '<%= config.bin %> plan -f cluster.yaml --limit site=berlin',
  ]
  static override flags = fleetFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(Plan)
    const { filename } = flags
    if (filename === undefined) throw new EdgeadmError('usage', '-f is missing: the inventory')
    const { hasChanges, plan, planText } = await import('../fleet/index.ts')
    const prepared = await plan({
      file: filename,
      limits: flags.limit ?? [],
      acceptNewHostKeys: flags['accept-new-host-keys'],
      secrets: await askSecrets(flags),
      executable: ownExecutable(),
      reporting: this.reporting,
    })
    const { hosts, orphans } = prepared.plan
    this.result(
      hasChanges(prepared.plan) ? planText(prepared) : `${planText(prepared)}\nNothing is to be done.`,
      {
        hosts: hosts.map(({ host, action, changes }) => ({
          host: host.name,
          role: host.role,
          action,
          changes,
        })),
        unreachable: prepared.unreachable.map(({ host, why }) => ({ host: host.name, why })),
        refused: prepared.refused.map(({ host, error }) => ({ host: host.name, why: error.message })),
        orphans: orphans.map(({ name }) => name),
      },
    )
    if (hasChanges(prepared.plan)) process.exitCode = EXIT_CODES.drift
    else if (prepared.refused.length > 0) process.exitCode = EXIT_CODES.hosts
    else if (prepared.unreachable.length > 0) process.exitCode = EXIT_CODES.unreachable
  }
}
