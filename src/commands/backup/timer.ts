import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'
import { directoryFlag } from './create.ts'

export default class BackupTimer extends BaseCommand {
  static override summary = 'Let systemd make a backup regularly on this master'
  static override examples = [
    '<%= config.bin %> backup timer',
    '<%= config.bin %> backup timer --calendar 03:30 --keep 14 --directory /mnt/backups',
    '<%= config.bin %> backup timer --remove',
  ]
  static override flags = {
    directory: directoryFlag,
    calendar: Flags.string({
      helpValue: 'TIME',
      default: 'daily',
      description: 'When, as in systemd.time(7) (default daily)',
    }),
    keep: Flags.integer({ helpValue: 'N', default: 7, min: 1, description: 'How many stay (default 7)' }),
    'age-recipient': Flags.string({
      helpValue: 'RECIPIENT',
      multiple: true,
      description: 'Encrypt them with age for this recipient (age1…); may be given several times',
    }),
    remove: Flags.boolean({ description: 'Remove the timer' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupTimer)
    const [{ setTimer }, { checkRecipients }] = await Promise.all([
      import('../../run/timer.ts'),
      import('../../phases/backup/archive.ts'),
    ])
    const recipients = flags['age-recipient'] ?? []
    await checkRecipients(recipients)
    const args = [
      ...['backup', 'create', '--keep', String(flags.keep)],
      ...(flags.directory === undefined ? [] : ['--directory', resolve(flags.directory)]),
      ...recipients.flatMap((one) => ['--age-recipient', one]),
    ]
    const task = {
      unit: 'edgeadm-backup',
      title: 'Backup of the cluster by edgeadm',
      args,
      calendar: flags.calendar,
      delay: '15min',
    }
    await setTimer(task, flags.remove, this.reporting)
  }
}
