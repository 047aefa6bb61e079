import { Args, Flags } from '@oclif/core'
import { initFlags } from '../config/flags.ts'
import { BaseCommand } from './base.ts'

export default class Restore extends BaseCommand {
  static override summary = 'Bring a cluster back from a backup, on one master'
  static override description =
    `On a master that lost its data: the control plane stops, etcd gets the data of the backup (those that are there are put
aside), and all starts again; neither the package nor an API server is needed. On a machine that is none: as \`edgeadm init\`,
with the cluster's CAs, keys, data and settings from the backup; give the package with --install-pkg-path, and further flags of
init where this machine differs. Other masters are reset, and joined again with one command that is printed.
A cluster that runs, a backup of another cluster or of a newer Kubernetes, and a damaged file are refused; then nothing is changed.`
  static override examples = [
    '<%= config.bin %> restore /var/backups/edgeadm/edgeadm-1a2b3c4d-20270101T000000Z.tar.gz',
    '<%= config.bin %> restore backup.tar.gz.age --age-identity key.txt --install-pkg-path edgeadm-kube-linux-amd64.tar.zst',
  ]
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'The backup' }),
  }
  static override flags = {
    ...initFlags,
    'age-identity': Flags.string({
      helpValue: 'FILE',
      description: "age's identity, for a backup that is encrypted",
    }),
    force: Flags.boolean({
      description: 'Also on a cluster that runs: what was written since the backup is lost',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restore)
    const { restore } = await import('../run/restore.ts')
    await restore(args.file, flags, this.reporting)
  }
}
