import { Args } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class PackageDiff extends BaseCommand {
  static override summary = 'Show what is different in two packages'
  static override description =
    'Reads only their manifests. The last line says how much of the new one an update would hold.'
  static override examples = [
    '<%= config.bin %> package diff OLD NEW',
    '<%= config.bin %> package diff OLD NEW --output json',
  ]
  static override args = {
    old: Args.string({ ignoreStdin: true, description: 'The package that is there', required: true }),
    new: Args.string({ ignoreStdin: true, description: 'The other one', required: true }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(PackageDiff)
    const { readPackageManifest } = await import('../../package/unpack.ts')
    const { describeDiff, diffPackages } = await import('../../package/diff.ts')
    const old = await readPackageManifest(args.old, this.reporting)
    const diff = diffPackages(old, await readPackageManifest(args.new, this.reporting))
    this.result(describeDiff(diff), diff)
  }
}
