import { Args } from '@oclif/core'
import { joinFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class JoinPhase extends BaseCommand {
  static override summary = 'Run a single phase of join'
  static override description =
    'The names are those of kubeadm and, for what kubeadm does not do, of edgeadm: `edgeadm join --dry-run` lists them.'
  static override examples = ['<%= config.bin %> join phase kubelet-start 10.0.0.10:6443 --config join.yaml']
  static override flags = joinFlags
  static override args = {
    name: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Name of the phase, as control-plane-prepare/certs',
    }),
    endpoint: Args.string({ ignoreStdin: true, description: 'HOST:PORT of the API server' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(JoinPhase)
    const { runJoin } = await import('../../run/join.ts')
    await runJoin(args.endpoint, flags, this.reporting, args.name)
  }
}
