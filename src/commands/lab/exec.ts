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
  static override usage = 'lab exec MACHINE [--lab NAME] [-- COMMAND [ARGUMENTS]]'
  static override args = MACHINE_ARGUMENT
  static override flags = LAB_FLAG

  async run(): Promise<void> {
    // What follows "--" is the command's, word for word; oclif would reorder words that come twice.
    const end = this.argv.indexOf('--')
    const own = end < 0 ? this.argv : this.argv.slice(0, end)
    const command = end < 0 ? [] : this.argv.slice(end + 1)
    const { args, flags } = await this.parse(LabExec, own)
    const { attachInMachine, defaultLab, machineOf, readLab, requireRoot } = await import(
      '../../lab/index.ts'
    )
    requireRoot()
    const lab = await readLab(flags.lab ?? (await defaultLab()))
    const machine = machineOf(lab, args.machine)
    // The terminal sends Ctrl-C to the command itself; what it means is the command's to say.
    this.leaveInterrupts()
    process.exitCode = await attachInMachine(
      lab.name,
      machine.name,
      command.length > 0 ? command : ['bash', '-l'],
    )
  }
}
