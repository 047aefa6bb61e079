import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'
import { LAB_FLAG, MACHINE_ARGUMENT } from './machine-flags.ts'

const LETTERS = { added: 'A', changed: 'C', removed: 'D' } as const

export default class LabDiff extends BaseCommand {
  static override summary = "List what a machine's file system changed since its first boot"
  static override description =
    'A: added, C: changed (content, mode, owner or type), D: deleted. A directory stands for all that came or went\nwith it. Times do not count, nor do /run, /tmp and other file systems in memory.'
  static override examples = [
    '<%= config.bin %> lab diff master-1',
    '<%= config.bin %> lab diff master-1 --ignore /var/log',
  ]
  static override args = MACHINE_ARGUMENT
  static override flags = {
    ...LAB_FLAG,
    ignore: Flags.string({
      description: 'Leave out a path and all below it (may be given several times)',
      helpValue: 'PATH',
      multiple: true,
      default: [],
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabDiff)
    const { defaultLab, diffMachine, requireRoot } = await import('../../lab/index.ts')
    requireRoot()
    const isIgnored = (path: string) =>
      flags.ignore.some((prefix) => path === prefix || path.startsWith(prefix.replace(/\/*$/, '/')))
    const all = await diffMachine(flags.lab ?? (await defaultLab()), args.machine)
    const differences = all.filter(({ path }) => !isIgnored(path))
    const lines = differences.map(({ kind, path, aspects, count }) => {
      const note = aspects.length > 0 ? aspects.join(', ') : count > 1 ? `${count} files` : ''
      return `${LETTERS[kind]} ${path}${note && ` (${note})`}`
    })
    this.result(lines.join('\n'), { differences })
  }
}
