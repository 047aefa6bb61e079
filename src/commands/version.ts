import { VERSION } from '../version.ts'
import { BaseCommand } from './base.ts'

export default class Version extends BaseCommand {
  static override summary = 'Print the version of edgeadm'
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --output json']

  async run(): Promise<void> {
    await this.parse(Version)
    const data = { edgeadm: `v${VERSION}`, node: process.version, platform: `linux/${process.arch}` }
    this.result(`edgeadm version: v${VERSION} (${data.platform}, Node.js ${data.node})`, data)
  }
}
