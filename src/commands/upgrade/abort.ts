import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class UpgradeAbort extends BaseCommand {
  static override summary = 'Take an upgrade of this master back'
  static override description =
    "Until the programs of the machine are changed: the static Pods of the control plane, the kubelet's settings and kubeadm's configuration in the cluster become what they were. etcd stays at its new version."
  static override examples = ['<%= config.bin %> upgrade abort', '<%= config.bin %> upgrade abort --yes']
  static override flags = {
    yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(UpgradeAbort)
    const { upgradeAbort } = await import('../../run/upgrade.ts')
    const confirm = process.stdin.isTTY ? (question: string) => this.confirm(question) : undefined
    await upgradeAbort(flags, this.reporting, confirm)
  }
}
