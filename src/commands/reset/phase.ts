import { Args } from '@oclif/core'
import { resetFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class ResetPhase extends BaseCommand {
  static override summary = 'Run a single phase of reset'
  static override description =
    "kubeadm's phases have their own names (preflight, remove-etcd-member, cleanup-node); `edgeadm reset --dry-run` lists all."
  static override examples = [
    '<%= config.bin %> reset phase network --force',
    '<%= config.bin %> reset phase cleanup-node --force',
  ]
  static override flags = resetFlags
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'Name of the phase' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(ResetPhase)
    const { runReset } = await import('../../run/reset.ts')
    const confirm = process.stdin.isTTY ? (question: string) => this.confirm(question) : undefined
    await runReset({ flags, reporting: this.reporting, only: args.name, confirm })
  }
}
