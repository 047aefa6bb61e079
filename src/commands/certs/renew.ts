import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class CertsRenew extends BaseCommand {
  static override summary = 'Renew the certificates of this node, and put them to use'
  static override description =
    `Without a NAME: all of kubeadm's on a master, the kubelet's if they did not renew themselves, CloudCore's if they end soon.
Names are those of \`edgeadm certs status\`. What uses them is restarted part by part, and each part has to work and show its
new certificate before the next. It works when they have ended, too, also on a node that was off. With several masters, run it on
one after the other.`
  static override strict = false
  static override examples = [
    '<%= config.bin %> certs renew',
    '<%= config.bin %> certs renew apiserver etcd-server',
    '<%= config.bin %> certs renew kubelet-client --token abcdef.0123456789abcdef',
  ]
  static override args = {
    name: Args.string({ ignoreStdin: true, description: 'Name of a certificate; several may be given' }),
  }
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Only say what would be done' }),
    token: Flags.string({
      helpValue: 'TOKEN',
      description: 'Bootstrap token, for a kubelet on a worker whose certificate has ended',
    }),
    'ignore-preflight-errors': Flags.string({
      helpValue: 'CHECK,...',
      multiple: true,
      delimiter: ',',
      description: "Checks whose errors are warnings: Clock, or 'all'",
    }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(CertsRenew)
    const { renewAll } = await import('../../run/certs-renew.ts')
    await renewAll(argv as string[], flags, this.reporting)
  }
}
