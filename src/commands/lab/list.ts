import { table } from '../../output/table.ts'
import { BaseCommand } from '../base.ts'

export default class LabList extends BaseCommand {
  static override summary = 'List labs and their machines'
  static override examples = ['<%= config.bin %> lab list', '<%= config.bin %> lab list --output json']

  async run(): Promise<void> {
    await this.parse(LabList)
    const { listLabs, requireRoot } = await import('../../lab/index.ts')
    requireRoot()
    const labs = await listLabs()
    const rows = labs.flatMap((lab) =>
      lab.machines.length === 0
        ? [[lab.name, '-', '-', '-', 'unfinished']]
        : lab.machines.map(({ name, role, address, state }) => [lab.name, name, role, address, state]),
    )
    const text =
      rows.length === 0
        ? 'no labs'
        : table([['LAB', 'MACHINE', 'ROLE', 'ADDRESS', 'STATE'], ...rows]).join('\n')
    this.result(text, { labs })
  }
}
