import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class PackageInspect extends BaseCommand {
  static override summary = 'Show what is in a package'
  static override description =
    'Reads only the manifest, which is the first thing in a package. Use `package verify` to check the rest.'
  static override examples = [
    '<%= config.bin %> package inspect PACKAGE',
    '<%= config.bin %> package inspect PACKAGE --output json',
    '<%= config.bin %> package inspect PACKAGE --sbom',
  ]
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'The package: .tar.zst, .tar.gz, .tar or an unpacked folder',
      required: true,
    }),
  }

  static override flags = {
    sbom: Flags.boolean({
      description: 'Print the bill of materials (CycloneDX, JSON) after the whole package was verified',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PackageInspect)
    if (flags.sbom === true) {
      const { readPackageFile, SBOM_NAME } = await import('../../package/index.ts')
      const text = await readPackageFile(args.path, SBOM_NAME, this.reporting)
      this.result(text.trimEnd(), JSON.parse(text))
      return
    }
    const { readPackageManifest } = await import('../../package/unpack.ts')
    const { describeManifest } = await import('../../package/describe.ts')
    const manifest = await readPackageManifest(args.path, this.reporting)
    this.result(describeManifest(manifest), manifest)
  }
}
