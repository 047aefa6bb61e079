import { Args } from '@oclif/core'
import { joinFlags, rewriteLegacyFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class Join extends BaseCommand {
  static override summary = 'Join this machine to a cluster: as an edge node, a worker, or another master'
  static override description =
    'It takes the join line that `edgeadm init` and `edgeadm token create --print-join-command` print.'
  static override examples = [
    '<%= config.bin %> join 10.0.0.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:… --install-pkg-path ./edgeadm.tar.zst',
    '<%= config.bin %> join 10.0.0.10:6443 --token … --discovery-token-ca-cert-hash sha256:… --enable-edge=false',
    '<%= config.bin %> join 10.0.0.10:6443 --token … --discovery-token-ca-cert-hash sha256:… --control-plane --certificate-key …',
  ]
  static override flags = joinFlags
  static override args = {
    endpoint: Args.string({ ignoreStdin: true, description: 'HOST:PORT of the API server' }),
  }

  protected override async init(): Promise<void> {
    this.argv = rewriteLegacyFlags('join', this.argv)
    await super.init()
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Join)
    const { runJoin } = await import('../../run/join.ts')
    await runJoin(args.endpoint, flags, this.reporting)
  }
}
