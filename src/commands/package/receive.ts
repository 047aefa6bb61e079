import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

/** Hidden: `apply` runs it on hosts without curl (templates/fleet/fetch.sh). */
export default class PackageReceive extends BaseCommand {
  static override hidden = true
  static override summary =
    'Write what another host serves to standard output; the token is read from standard input'
  static override flags = {
    url: Flags.string({ required: true, description: 'What `edgeadm package serve` said' }),
    'ca-file': Flags.string({ required: true, description: 'The one CA that is trusted', helpValue: 'FILE' }),
    offset: Flags.integer({ default: 0, description: 'Bytes that are here already' }),
    seconds: Flags.integer({ default: 3600, description: 'How long it may take (default 3600)' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PackageReceive)
    const { receive } = await import('../../fleet/relay/receive.ts')
    const { url, offset, seconds } = flags
    const signal = AbortSignal.any([this.reporting.signal, AbortSignal.timeout(seconds * 1000)])
    const [caPem, token] = await Promise.all([readFile(flags['ca-file'], 'utf8'), text(process.stdin)])
    await receive({ url, caPem, token: token.trim(), offset, signal }, process.stdout)
  }
}
