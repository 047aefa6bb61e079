import { upgradePackageFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class UpgradeImages extends BaseCommand {
  static override summary = "Bring the new package's images to this node, before the cluster is upgraded"
  static override description =
    "On every node but the first master. kubeadm's checks and the add-ons use the new images on any node; nothing that runs is changed."
  static override examples = [
    '<%= config.bin %> upgrade images --install-pkg-path ./edgeadm-0.1.0-kube-v1.34.4-linux-amd64.tar.zst',
  ]
  static override flags = upgradePackageFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(UpgradeImages)
    const { upgradeImages } = await import('../../run/upgrade.ts')
    await upgradeImages(flags, this.reporting)
  }
}
