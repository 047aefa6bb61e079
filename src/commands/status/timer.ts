import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class StatusTimer extends BaseCommand {
  static override summary =
    "Let systemd write the state of the cluster regularly for node_exporter's textfile collector"
  static override examples = [
    '<%= config.bin %> status timer --textfile /var/lib/node_exporter/edgeadm.prom',
    '<%= config.bin %> status timer --remove',
  ]
  static override flags = {
    textfile: Flags.string({
      helpValue: 'FILE',
      default: '/var/lib/node_exporter/edgeadm.prom',
      description: 'The file (default /var/lib/node_exporter/edgeadm.prom)',
    }),
    calendar: Flags.string({
      helpValue: 'TIME',
      default: '*:0/5',
      description: 'When, as in systemd.time(7) (default *:0/5, every five minutes)',
    }),
    remove: Flags.boolean({ description: 'Remove the timer' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(StatusTimer)
    const { setTimer } = await import('../../run/timer.ts')
    const args = ['status', '--textfile', flags.textfile]
    const task = {
      unit: 'edgeadm-status',
      title: 'State of the cluster for node_exporter',
      args,
      calendar: flags.calendar,
      delay: '20s',
    }
    await setTimer(task, flags.remove, this.reporting)
  }
}
