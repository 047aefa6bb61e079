import { upgradeNodeFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class UpgradeNode extends BaseCommand {
  static override summary = 'Upgrade this node: a further master, a worker or an edge node'
  static override description =
    `After \`edgeadm upgrade apply\` on a master. A worker is drained, gets containerd, the CNI plugins and the kubelet, and takes
Pods again. An edge node changes edgecore beside a copy of its database, configuration and certificate, and puts all of it back
by itself unless MetaServer answers within two minutes.`
  static override examples = [
    '<%= config.bin %> upgrade node --install-pkg-path ./edgeadm-0.1.0-kube-v1.34.4-linux-amd64.tar.zst',
    '<%= config.bin %> upgrade node --install-pkg-path … --drain=false',
  ]
  static override flags = upgradeNodeFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(UpgradeNode)
    const { upgradeNode } = await import('../../run/upgrade.ts')
    await upgradeNode(flags, this.reporting)
  }
}
