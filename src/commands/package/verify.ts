import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class PackageVerify extends BaseCommand {
  static override summary = 'Check that a package is whole and unchanged'
  static override description =
    'Reads the package once and compares the size, mode and sha256 of each file with its manifest. With a key, the\nmanifest has to be signed by its owner.'
  static override examples = [
    '<%= config.bin %> package verify edgeadm-0.1.0-kube-v1.33.13-linux-amd64.tar.zst',
    '<%= config.bin %> package verify PACKAGE --public-key key.pub',
  ]
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'The package: .tar.zst, .tar.gz, .tar or an unpacked folder',
      required: true,
    }),
  }
  static override flags = {
    'public-key': Flags.string({
      description: 'The signature has to fit this ed25519 public key (PEM)',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PackageVerify)
    const { verifyPackage } = await import('../../package/unpack.ts')
    const key = flags['public-key']
    const manifest = await verifyPackage(args.path, {
      ...this.reporting,
      ...(key === undefined ? {} : { publicKey: key }),
    })
    const { kubernetesVersion, arch, files, images } = manifest
    this.result(
      `${args.path} is whole${key === undefined ? '' : ' and its signature is valid'}: Kubernetes ${kubernetesVersion} for linux/${arch}, ${files.length} files, ${images.length} images`,
      {
        path: args.path,
        kubernetesVersion,
        arch,
        files: files.length,
        images: images.length,
        signed: key !== undefined,
      },
    )
  }
}
