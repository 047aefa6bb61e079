import { BaseCommand } from '../base.ts'
import { directoryFlag } from './create.ts'

export default class BackupList extends BaseCommand {
  static override summary = 'List backups, the newest first'
  static override examples = ['<%= config.bin %> backup list', '<%= config.bin %> backup list -o json']
  static override flags = { directory: directoryFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupList)
    const [{ listBackups }, { BACKUPS }] = await Promise.all([
      import('../../run/backup.ts'),
      import('../../phases/backup/format.ts'),
    ])
    await listBackups(flags.directory ?? BACKUPS, this.reporting)
  }
}
