import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class ReplaceMaster extends BaseCommand {
  static override summary = 'Replace a master by another machine'
  static override description =
    `Run it on a master that stays. OLD may be any other master, the first one too. A master that is lost is taken out of the
cluster: its etcd member, its place on the record of the masters, its Node. A master that runs stays, since it leaves by its own reset.
Either way the line is printed that joins the new machine as a master; it holds for two hours. It is refused if etcd has no
quorum, or would have none without OLD. When it was interrupted, run the same command again.`
  static override examples = [
    '<%= config.bin %> replace master master-1',
    '<%= config.bin %> replace master master-1 --dry-run',
    '<%= config.bin %> replace master master-1 --yes -o json',
  ]
  static override args = {
    old: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'The master to replace: the name of its Node, or its address',
    }),
  }
  static override flags = {
    yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
    'dry-run': Flags.boolean({ description: 'Show what would be done and do nothing' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ReplaceMaster)
    const { replaceMaster } = await import('../../run/replace-master.ts')
    const confirm = process.stdin.isTTY ? (question: string) => this.confirm(question) : undefined
    await replaceMaster({ old: args.old, flags, reporting: this.reporting, confirm })
  }
}
