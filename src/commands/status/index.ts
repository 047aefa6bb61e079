import { Flags } from '@oclif/core'
import { EdgeadmError } from '../../output/errors.ts'
import { BaseCommand } from '../base.ts'
import { askSecrets, fleetFlags } from '../fleet/flags.ts'

export default class Status extends BaseCommand {
  static override summary = 'Show the nodes of the cluster, its parts, and what needs hands'
  static override description =
    'On a master also: the members of etcd, who holds the virtual address, certificates, the last backup, drift.\n' +
    'The exit code is 13 if something needs hands; each is a line of its own.'
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --watch',
    '<%= config.bin %> status --textfile /var/lib/node_exporter/edgeadm.prom',
    '<%= config.bin %> status --output json',
    '<%= config.bin %> status --drift',
  ]
  static override flags = {
    ...fleetFlags,
    kubeconfig: Flags.string({
      description: 'Credentials for the cluster (default /etc/kubernetes/admin.conf)',
      helpValue: 'FILE',
    }),
    drift: Flags.boolean({
      description:
        'Show instead what of that which edgeadm wrote on this machine is different by now; the exit code is 10 if something is',
    }),
    watch: Flags.boolean({ description: 'Show it again every five seconds, until Ctrl-C' }),
    textfile: Flags.string({
      helpValue: 'FILE',
      description:
        "Write it as metrics into a file of node_exporter's textfile collector instead, and certificates that end soon as Events on their Nodes; for a timer",
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Status)
    if (flags.filename !== undefined) {
      const [{ status }, { attention }] = await Promise.all([
        import('../../fleet/index.ts'),
        import('../../run/status-problems.ts'),
      ])
      const { text, data, silent, problems } = await status({
        file: flags.filename,
        limits: flags.limit ?? [],
        acceptNewHostKeys: flags['accept-new-host-keys'],
        secrets: await askSecrets(flags),
        reporting: this.reporting,
      })
      this.result(text, data)
      if (silent.length > 0) throw new EdgeadmError('unreachable', `no answer from ${silent.join(', ')}`)
      const error = attention(problems)
      if (error !== undefined) throw error
      return
    }
    if (flags.drift) {
      const { driftError, driftReport, driftText } = await import('../../run/drift.ts')
      const report = await driftReport(this.reporting)
      this.result(driftText(report), report)
      const error = driftError(report)
      if (error !== undefined) throw error
      return
    }
    if (flags.watch) return this.#watch(flags)
    const [{ clusterStatus, statusText }, { attention }] = await Promise.all([
      import('../../run/status.ts'),
      import('../../run/status-problems.ts'),
    ])
    const status = await clusterStatus(flags.kubeconfig, this.reporting)
    if (flags.textfile !== undefined) {
      const [{ writeTextfile }, { writeCertificateEvents }] = await Promise.all([
        import('../../run/textfile.ts'),
        import('../../run/certificate-events.ts'),
      ])
      await writeTextfile(flags.textfile, status)
      return writeCertificateEvents(status.master?.certificates ?? [], flags.kubeconfig, this.reporting)
    }
    for (const text of status.warnings) this.reporting.emit({ type: 'warning', text })
    this.result(statusText(status), status)
    const error = attention(status.problems)
    if (error !== undefined) throw error
  }

  /** Until Ctrl-C. An API server that is away is told of, and asked again. */
  async #watch(flags: { readonly kubeconfig: string | undefined }): Promise<void> {
    const { watchStatus } = await import('../../run/watch-status.ts')
    await watchStatus(flags.kubeconfig, this.reporting)
  }
}
