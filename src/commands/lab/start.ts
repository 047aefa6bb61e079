import { BaseCommand } from '../base.ts'
import { LAB_FLAG, MACHINE_ARGUMENT } from './machine-flags.ts'

export default class LabStart extends BaseCommand {
  static override summary = 'Boot a machine that is off'
  static override examples = ['<%= config.bin %> lab start worker-1']
  static override args = MACHINE_ARGUMENT
  static override flags = LAB_FLAG

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabStart)
    const { defaultLab, startMachine, requireRoot } = await import('../../lab/index.ts')
    requireRoot()
    const lab = flags.lab ?? (await defaultLab())
    await startMachine(lab, args.machine, this.reporting)
    this.result(`${args.machine} has booted`, { lab, machine: args.machine })
  }
}
