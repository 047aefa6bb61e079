import { Args } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class PackageInspect extends BaseCommand {
  static override summary = 'Show what is in a package'
  static override description =
    'Reads only the manifest, which is the first thing in a package. Use `package verify` to check the rest.'
  static override examples = [
    '<%= config.bin %> package inspect PACKAGE',
    '<%= config.bin %> package inspect PACKAGE --output json',
  ]
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'The package: .tar.zst, .tar.gz, .tar or an unpacked folder',
      required: true,
    }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(PackageInspect)
    const { readPackageManifest } = await import('../../package/unpack.ts')
    const { describeManifest } = await import('../../package/describe.ts')
    const manifest = await readPackageManifest(args.path, this.reporting)
    this.result(describeManifest(manifest), manifest)
  }
}
