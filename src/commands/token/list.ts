import { kubeadmTokenFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class TokenList extends BaseCommand {
  static override summary = 'List bootstrap tokens'
  static override examples = ['<%= config.bin %> token list', '<%= config.bin %> token list -o json']
  static override flags = kubeadmTokenFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(TokenList)
    const { listTokens } = await import('../../run/token.ts')
    const data = await listTokens('json', flags, this.reporting)
    // kubeadm writes one JSON document per token.
    const tokens: unknown = data === '' ? [] : JSON.parse(`[${data.replace(/\n}\n{/g, '\n},\n{')}]`)
    this.result(await listTokens('text', flags, this.reporting), tokens)
  }
}
