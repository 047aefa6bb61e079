import { initFlags, rewriteLegacyFlags } from '../../config/flags.ts'
import { BaseCommand } from '../base.ts'

export default class Init extends BaseCommand {
  static override summary = 'Set up the first master of a cluster on this machine'
  static override description =
    `Prepares the machine, unpacks the package, runs kubeadm's phases and installs flannel.
Without a package it downloads what this machine needs; --offline forbids that.
It takes kubeadm's flags and kubeadm's --config file. Everything it changes is recorded, and \`edgeadm reset\` puts it back.`
  static override examples = [
    '<%= config.bin %> init --install-pkg-path ./edgeadm-0.1.0-kube-v1.33.13-linux-amd64.tar.zst',
    '<%= config.bin %> init --dry-run',
    '<%= config.bin %> init --registry-mirror registry.k8s.io=https://mirror.example.org',
    '<%= config.bin %> init --config cluster.yaml --dry-run',
    '<%= config.bin %> init --control-plane-endpoint 10.0.0.100:8443 --ha=haproxy-keepalived --upload-certs',
  ]
  static override flags = initFlags

  protected override async init(): Promise<void> {
    this.argv = rewriteLegacyFlags('init', this.argv)
    await super.init()
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Init)
    const { runInit } = await import('../../run/init.ts')
    await runInit(flags, this.reporting)
  }
}
