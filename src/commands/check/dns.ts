import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

/** Hidden: `init` and `join` run it in the network of a Pod (phases/kubernetes/pod-probe.ts). */
export default class CheckDns extends BaseCommand {
  static override hidden = true
  static override summary = 'Ask a DNS server for a name until it answers'
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'The name to ask for' }),
  }
  static override flags = {
    server: Flags.string({ required: true, description: "The server's IP address" }),
    timeout: Flags.integer({ default: 10, description: 'Seconds to go on asking (default 10)' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CheckDns)
    const { askDns } = await import('../../network/ask-dns.ts')
    const { server, timeout } = flags
    await askDns({ name: args.name, server, limit: timeout * 1000 }, this.reporting.signal)
    this.result(`${server} answers`, { server, name: args.name })
  }
}
