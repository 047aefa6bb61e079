import { BaseCommand } from '../base.ts'

export default class TokenGenerate extends BaseCommand {
  static override summary = 'Generate a token and print it, without creating it in the cluster'
  static override examples = ['<%= config.bin %> token generate']

  async run(): Promise<void> {
    await this.parse(TokenGenerate)
    const { generateToken } = await import('../../config/tokens.ts')
    const token = generateToken()
    this.result(token, { token })
  }
}
