import { BaseCommand } from '../base.ts'

export default class CertsStatus extends BaseCommand {
  static override summary = 'Show when certificates end: of this node, and of others as far as they show them'
  static override description =
    'It needs no API server. On a master it also asks the cluster: CloudCore, and what other masters and nodes show on their ports.\n' +
    'The exit code is 13 if one has ended or has 60 days left or less (notice; warning from 30, critical from 7).'
  static override examples = ['<%= config.bin %> certs status', '<%= config.bin %> certs status -o json']

  async run(): Promise<void> {
    await this.parse(CertsStatus)
    const { certificatesError, certificatesStatus, certificatesText } = await import(
      '../../run/certs-status.ts'
    )
    const report = await certificatesStatus(this.reporting)
    this.result(certificatesText(report), report)
    const error = certificatesError(report)
    if (error !== undefined) throw error
  }
}
