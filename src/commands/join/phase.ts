import { Args } from '@oclif/core'
import { joinFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class JoinPhase extends BaseCommand {
  static override summary = 'Run a single phase of join'
  static override description =
    'The names are those of kubeadm and, for what kubeadm does not do, of edgeadm: `edgeadm join --dry-run` lists them.'
  static override examples = [
    '<%= config.bin %> join phase kubelet-start 10.0.0.10:6443 --config join.yaml',
    '<%= config.bin %> join phase control-plane-prepare certs 10.0.0.10:6443 --config join.yaml',
  ]
  static override flags = joinFlags
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'Name of the phase' }),
    child: Args.string({
      ignoreStdin: true,
      description: 'Part of the phase, in the way of kubeadm: control-plane-prepare certs',
    }),
    endpoint: Args.string({ ignoreStdin: true, description: 'HOST:PORT of the API server' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(JoinPhase)
    const { runJoin } = await import('../../run/join.ts')
    // Names of parts have neither dots nor colons; an address has one of them.
    const [child, endpoint] = /[.:]/.test(args.child ?? '')
      ? [undefined, args.child]
      : [args.child, args.endpoint]
    const name = child === undefined || child === 'all' ? args.name : `${args.name}/${child}`
    await runJoin(endpoint, flags, this.reporting, name)
  }
}
