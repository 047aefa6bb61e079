import { Args } from '@oclif/core'
import { initFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class InitPhase extends BaseCommand {
  static override summary = 'Run a single phase of init'
  static override description =
    'The names are those of kubeadm and, for what kubeadm does not do, of edgeadm: `edgeadm init --dry-run` lists them.'
  static override examples = [
    '<%= config.bin %> init phase certs/ca',
    '<%= config.bin %> init phase addon coredns',
  ]
  static override flags = initFlags
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'Name of the phase' }),
    child: Args.string({
      ignoreStdin: true,
      description: 'Part of the phase, in the way of kubeadm: certs ca',
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(InitPhase)
    const { runInit } = await import('../../run/init.ts')
    const name = args.child === undefined || args.child === 'all' ? args.name : `${args.name}/${args.child}`
    await runInit(flags, this.reporting, name)
  }
}
