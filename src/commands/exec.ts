import { EdgeadmError } from '../output/errors.ts'
import { BaseCommand } from './base.ts'
import { askSecrets, fleetFlags } from './fleet/flags.ts'

export default class Exec extends BaseCommand {
  static override summary = 'Run a command as root on the hosts of an inventory'
  static override examples = [
    '<%= config.bin %> exec -f cluster.yaml --limit role=edge -- edgeadm check edge',
  ]
  static override flags = fleetFlags
  static override strict = false

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Exec)
    const { filename } = flags
    const command = argv as string[]
    if (filename === undefined) throw new EdgeadmError('usage', '-f is missing: the inventory')
    if (command.length === 0)
      throw new EdgeadmError('usage', 'the command is missing: edgeadm exec -f FILE -- COMMAND …')
    const { exec } = await import('../fleet/index.ts')
    const results = await exec(
      {
        file: filename,
        limits: flags.limit ?? [],
        acceptNewHostKeys: flags['accept-new-host-keys'],
        secrets: await askSecrets(flags),
        reporting: this.reporting,
      },
      command,
    )
    const lines = results.flatMap(({ host, output, exitCode }) => [
      ...output.split('\n').map((line) => `${host.name}: ${line}`),
      ...(exitCode === 0 || exitCode === undefined ? [] : [`${host.name}: exit code ${exitCode}`]),
    ])
    this.result(
      lines.join('\n'),
      results.map(({ host, exitCode, output }) => ({ host: host.name, exitCode: exitCode ?? null, output })),
    )
    const silent = results.filter(({ exitCode }) => exitCode === undefined)
    const failed = results.filter(({ exitCode }) => exitCode !== undefined && exitCode !== 0)
    const names = (list: typeof results) => list.map(({ host }) => host.name).join(', ')
    if (failed.length > 0) throw new EdgeadmError('hosts', `the command failed on ${names(failed)}`)
    if (silent.length > 0) throw new EdgeadmError('unreachable', `no answer from ${names(silent)}`)
  }
}
