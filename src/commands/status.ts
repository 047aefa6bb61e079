import { Flags } from '@oclif/core'
import { BaseCommand } from './base.ts'

export default class Status extends BaseCommand {
  static override summary = 'Show the nodes of the cluster, its edge parts and how they are connected'
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --output json']
  static override flags = {
    kubeconfig: Flags.string({
      description: 'Credentials for the cluster (default /etc/kubernetes/admin.conf)',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Status)
    const { clusterStatus, statusText } = await import('../run/status.ts')
    const status = await clusterStatus(flags.kubeconfig, this.reporting)
    for (const text of status.warnings) this.reporting.emit({ type: 'warning', text })
    this.result(statusText(status), status)
  }
}
