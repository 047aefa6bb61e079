import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class CheckSecurity extends BaseCommand {
  static override summary =
    'Check what a stolen edge node, a token or somebody on the network can do on this cluster'
  static override description =
    'The API server is asked for rights and policies, CloudCore for what it answers, and this master for the rules of its firewall.\n' +
    'Nothing is changed. The exit code is 3 if something is open.'
  static override examples = [
    '<%= config.bin %> check security',
    '<%= config.bin %> check security --output json',
  ]
  static override flags = {
    kubeconfig: Flags.string({
      description: 'Credentials of an administrator of the cluster (default /etc/kubernetes/admin.conf)',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(CheckSecurity)
    const { checkSecurity } = await import('../../run/check-security.ts')
    await checkSecurity(flags.kubeconfig, this.reporting)
  }
}
