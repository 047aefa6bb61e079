import { Args } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class LabDelete extends BaseCommand {
  static override summary = 'Remove a lab: its machines, their disks, its network'
  static override description =
    'Also works for a lab whose creation was cut short, and after a reboot of the host. The base image stays cached.'
  static override examples = ['<%= config.bin %> lab delete', '<%= config.bin %> lab delete try']
  static override args = {
    name: Args.string({
      ignoreStdin: true,
      description: 'Name of the lab (default: the only one, or quickstart)',
    }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(LabDelete)
    const { defaultLab, deleteLab, requireRoot } = await import('../../lab/index.ts')
    requireRoot()
    const name = args.name ?? (await defaultLab())
    await deleteLab(name, this.reporting)
    this.result(`lab ${name} deleted`, { name })
  }
}
