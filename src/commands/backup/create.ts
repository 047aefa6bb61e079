import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export const directoryFlag = Flags.string({
  helpValue: 'DIR',
  description: 'Where backups are (default /var/backups/edgeadm)',
})

export default class BackupCreate extends BaseCommand {
  static override summary = "Save etcd and this master's keys and settings into one file"
  static override description =
    `A snapshot of etcd by a healthy member, pki, kubeconfigs, kubeadm's documents, CloudCore's certificates, the load balancer's
settings, and which package this is. The file holds the keys of the cluster: mode 0600, and encrypted with --age-recipient.`
  static override examples = [
    '<%= config.bin %> backup create',
    '<%= config.bin %> backup create --directory /mnt/backups --keep 7 --age-recipient age1…',
  ]
  static override flags = {
    directory: directoryFlag,
    keep: Flags.integer({
      helpValue: 'N',
      description: 'Remove older backups of this cluster but for the newest N',
    }),
    'age-recipient': Flags.string({
      helpValue: 'RECIPIENT',
      multiple: true,
      description: 'Encrypt it with age for this recipient (age1…); may be given several times',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupCreate)
    const { create } = await import('../../run/backup.ts')
    await create(flags, this.reporting)
  }
}
