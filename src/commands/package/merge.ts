import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class PackageMerge extends BaseCommand {
  static override summary = 'Make a whole package of an update and the package that it is for'
  static override description =
    'An update holds what is new (`package build --base`). The result has the same bytes as the package built whole, its\nsignature included. Both are verified.'
  static override examples = ['<%= config.bin %> package merge BASE UPDATE --output-file NEW.tar.zst']
  static override args = {
    base: Args.string({ ignoreStdin: true, description: 'The package that is there', required: true }),
    update: Args.string({ ignoreStdin: true, description: 'What package build --base made', required: true }),
  }
  static override flags = {
    'output-file': Flags.string({
      description: 'Where to put the whole package',
      helpValue: 'FILE',
      required: true,
    }),
    'public-key': Flags.string({
      description: 'The update has to be signed with this ed25519 key (PEM), or with one of a folder of such',
      helpValue: 'FILE|DIR',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PackageMerge)
    const { mergePackages } = await import('../../package/build/merge.ts')
    const path = flags['output-file']
    const key = flags['public-key']
    const manifest = await mergePackages({
      ...this.reporting,
      base: args.base,
      update: args.update,
      path,
      ...(key === undefined ? {} : { publicKey: key }),
    })
    this.result(path, { path, manifest })
  }
}
