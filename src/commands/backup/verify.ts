import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class BackupVerify extends BaseCommand {
  static override summary = 'Prove that a backup can be restored'
  static override description =
    'Restores it into an etcd that only this command sees, and compares hash, revision and number of keys with what the running\n' +
    'etcd said when the backup was made. Changes nothing; needs a machine with the image of etcd, as masters are.'
  static override examples = [
    '<%= config.bin %> backup verify /var/backups/edgeadm/edgeadm-1a2b3c4d-20270101T000000Z.tar.gz',
  ]
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'The backup' }),
  }
  static override flags = {
    'age-identity': Flags.string({
      helpValue: 'FILE',
      description: "age's identity, for a backup that is encrypted",
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupVerify)
    const { verifyBackup } = await import('../../run/backup.ts')
    await verifyBackup(args.file, flags, this.reporting)
  }
}
