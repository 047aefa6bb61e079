import { Flags } from '@oclif/core'
import { BaseCommand } from './base.ts'

export default class SupportBundle extends BaseCommand {
  static override summary = 'Collect what is needed to find out why this node is broken, into one file'
  static override description =
    'Units and their journals, containers, network, certificates, settings, logs; of the cluster, if it answers. It needs neither a\n' +
    'network nor an API server, and changes nothing. Private keys, tokens and passwords are taken out.'
  static override examples = [
    '<%= config.bin %> support-bundle',
    '<%= config.bin %> support-bundle --output-file /root/node.tar.gz',
  ]
  static override flags = {
    'output-file': Flags.string({
      helpValue: 'FILE',
      description: 'Where to write it (default: edgeadm-support-NODE-TIME.tar.gz in this directory)',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(SupportBundle)
    const { supportBundle } = await import('../run/support-bundle.ts')
    await supportBundle(flags['output-file'], this.reporting)
  }
}
