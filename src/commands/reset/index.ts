import { resetFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class Reset extends BaseCommand {
  static override summary = 'Put this machine back as it was before edgeadm'
  static override description =
    `Stops what runs here (nothing is drained), runs kubeadm's reset, removes the Pod network, and takes back every change
that init or join recorded: files, units, kernel parameters and modules, firewall rules. What cannot be put back is named.
It needs neither the package nor an API server, and an interrupted reset can be repeated.`
  static override examples = [
    '<%= config.bin %> reset',
    '<%= config.bin %> reset --force --remove-node',
    '<%= config.bin %> reset --dry-run',
  ]
  static override flags = resetFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(Reset)
    const { runReset } = await import('../../run/reset.ts')
    const confirm = process.stdin.isTTY ? (question: string) => this.confirm(question) : undefined
    await runReset({ flags, reporting: this.reporting, confirm })
  }
}
