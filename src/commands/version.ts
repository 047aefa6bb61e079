import { VERSION } from '../version.ts'
import { BaseCommand } from './base.ts'

export default class Version extends BaseCommand {
  static override summary = 'Print the version of edgeadm, its commit and its parts'
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --output json']

  async run(): Promise<void> {
    await this.parse(Version)
    const { buildInfo } = await import('../build-info.ts')
    const { commit, parts } = buildInfo()
    const data = {
      edgeadm: `v${VERSION}`,
      commit,
      node: process.version,
      platform: `linux/${process.arch}`,
      parts,
    }
    this.result(
      `edgeadm version: v${VERSION} (commit ${shortCommit(commit)}, ${data.platform}, Node.js ${data.node})`,
      data,
    )
  }
}

/** The first twelve digits, as Git writes them, and whether the tree had changes. */
function shortCommit(commit: string): string {
  return commit.replace(/^([0-9a-f]{12})[0-9a-f]{28}/, '$1')
}
