import { Args } from '@oclif/core'
import { upgradeApplyFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class UpgradeApply extends BaseCommand {
  static override summary = 'Upgrade the cluster, beginning on this master'
  static override description =
    `Checks everything first, saves etcd, certificates and settings, then runs the phases of kubeadm's upgrade, and changes
containerd, the CNI plugins and the kubelet of this machine. The add-ons come with the last master. Interrupted, the same
command goes on. Other nodes need the images first: \`edgeadm upgrade images\`.`
  static override examples = [
    '<%= config.bin %> upgrade apply --install-pkg-path ./edgeadm-0.1.0-kube-v1.34.4-linux-amd64.tar.zst',
    '<%= config.bin %> upgrade apply v1.34.4 --install-pkg-path … --yes',
  ]
  static override flags = upgradeApplyFlags
  static override args = {
    version: Args.string({ ignoreStdin: true, description: 'Version that the package has to have' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(UpgradeApply)
    const { upgradeApply } = await import('../../run/upgrade.ts')
    const confirm = process.stdin.isTTY ? (question: string) => this.confirm(question) : undefined
    await upgradeApply(args.version, flags, this.reporting, confirm)
  }
}
