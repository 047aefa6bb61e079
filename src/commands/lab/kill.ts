import { BaseCommand } from '../base.ts'
import { LAB_FLAG, MACHINE_ARGUMENT } from './machine-flags.ts'

export default class LabKill extends BaseCommand {
  static override summary = 'Cut the power of a machine'
  static override description =
    'Every process ends at once; the disk stays as it is. Boot it again with: edgeadm lab start'
  static override examples = ['<%= config.bin %> lab kill worker-1']
  static override args = MACHINE_ARGUMENT
  static override flags = LAB_FLAG

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabKill)
    const { defaultLab, killMachine, requireRoot } = await import('../../lab/index.ts')
    requireRoot()
    const lab = flags.lab ?? (await defaultLab())
    await killMachine(lab, args.machine)
    this.result(`${args.machine} is off`, { lab, machine: args.machine })
  }
}
