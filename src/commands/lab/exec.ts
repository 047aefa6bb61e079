import { Args } from '@oclif/core'
import { EdgeadmError } from '../../output/errors.ts'
import { BaseCommand } from '../base.ts'
import { LAB_FLAG, MACHINE_ARGUMENT } from './machine-flags.ts'

export default class LabExec extends BaseCommand {
  static override summary = 'Run a command in a machine of a lab'
  static override description =
    'The command gets this terminal and its exit code is passed on. Without a command: a shell.'
  static override examples = [
    '<%= config.bin %> lab exec master-1 -- kubectl get nodes',
    '<%= config.bin %> lab exec --lab try worker-1',
  ]
  static override args = {
    ...MACHINE_ARGUMENT,
    command: Args.string({ description: 'Command and its arguments, after "--"' }),
  }
  static override flags = LAB_FLAG
  static override strict = false

  async run(): Promise<void> {
    const { argv, args, flags } = await this.parse(LabExec)
    const { attachInMachine, defaultLab, machineOf, readLab, requireRoot } = await import(
      '../../lab/index.ts'
    )
    requireRoot()
    const lab = await readLab(flags.lab ?? (await defaultLab()))
    const machine = machineOf(lab, args.machine)
    const command = (argv as string[]).slice(1)
    if (command[0] === '') throw new EdgeadmError('usage', 'the command to run is empty')
    // The terminal sends Ctrl-C to the command itself; what it means is the command's to say.
    process.removeAllListeners('SIGINT').on('SIGINT', () => {})
    process.exitCode = await attachInMachine(
      lab.name,
      machine.name,
      command.length > 0 ? command : ['bash', '-l'],
    )
  }
}
