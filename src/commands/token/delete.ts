import { Args } from '@oclif/core'
import { kubeadmTokenFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class TokenDelete extends BaseCommand {
  static override summary = 'Delete bootstrap tokens'
  static override examples = ['<%= config.bin %> token delete abcdef']
  static override strict = false
  static override flags = kubeadmTokenFlags
  static override args = {
    token: Args.string({ required: true, ignoreStdin: true, description: 'Ids of tokens, or whole tokens' }),
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TokenDelete)
    const { deleteTokens } = await import('../../run/token.ts')
    const lines = await deleteTokens(argv as string[], flags, this.reporting)
    this.result(lines.join('\n'), { deleted: lines.length })
  }
}
