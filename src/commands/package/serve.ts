import { createInterface } from 'node:readline'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

/** Hidden: `apply` runs it on the first host of a site that has the package (fleet/relay/relay.ts). */
export default class PackageServe extends BaseCommand {
  static override hidden = true
  static override summary = 'Give files to other hosts over HTTPS, for as long as standard input is open'
  static override description =
    'Each line of standard input, "TOKEN FILE", lets one receiver have one of the files. The result has the port and the CA.'
  static override flags = {
    address: Flags.string({ required: true, description: "This host's IP address to listen on" }),
  }
  static override strict = false

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(PackageServe)
    const { FileServer } = await import('../../fleet/relay/file-server.ts')
    const server = await FileServer.create(flags.address, argv as string[])
    server.dropRights()
    const served = await server.listen()
    this.result(`${flags.address}, port ${served.port}\n${served.caPem}`, served)
    const { signal } = this.reporting
    const lines = createInterface({ input: process.stdin, signal })
    try {
      for await (const line of lines) {
        const [token = '', path = ''] = line.split(' ')
        server.grant(token, path)
      }
    } finally {
      await server.stop()
    }
  }
}
