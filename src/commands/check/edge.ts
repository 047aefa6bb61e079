import { BaseCommand } from '../base.ts'

export default class CheckEdge extends BaseCommand {
  static override summary =
    'Check this edge node: edgecore, its way to the cloud, and what MetaServer answers'
  static override description =
    'Each check is a line with its result and time. The exit code is 8 if one of them failed.\n' +
    'MetaServer is asked as Pods ask it: in secure mode with the token of a Pod on this node.'
  static override examples = ['<%= config.bin %> check edge', '<%= config.bin %> check edge --output json']

  async run(): Promise<void> {
    await this.parse(CheckEdge)
    const { checkEdge } = await import('../../run/check-edge.ts')
    await checkEdge(this.reporting)
  }
}
