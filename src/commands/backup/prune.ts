import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'
import { directoryFlag } from './create.ts'

export default class BackupPrune extends BaseCommand {
  static override summary = 'Remove old backups; the newest of each cluster stay'
  static override examples = ['<%= config.bin %> backup prune --keep 7']
  static override flags = {
    directory: directoryFlag,
    keep: Flags.integer({ required: true, helpValue: 'N', description: 'How many stay, of each cluster' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupPrune)
    const [{ pruneBackups }, { BACKUPS }] = await Promise.all([
      import('../../run/backup.ts'),
      import('../../phases/backup/format.ts'),
    ])
    await pruneBackups(flags.directory ?? BACKUPS, flags.keep, this.reporting)
  }
}
