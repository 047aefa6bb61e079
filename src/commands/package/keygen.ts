import { Args, Flags } from '@oclif/core'
import { EdgeadmError } from '../../output/errors.ts'
import { BaseCommand } from '../base.ts'

export default class PackageKeygen extends BaseCommand {
  static override summary = 'Make a pair of keys to sign packages with'
  static override description =
    'NAME.key signs (`package build --sign-key`) and stays with the signer. NAME.pub verifies: copy it to /etc/edgeadm/keyring\nof each machine, or name it with --install-pkg-public-key.'
  static override examples = [
    '<%= config.bin %> package keygen site-2026 --expires 2027-11-27',
    '<%= config.bin %> package build --sign-key site-2026.key',
  ]
  static override args = {
    name: Args.string({ ignoreStdin: true, description: 'What the key is called', required: true }),
  }
  static override flags = {
    expires: Flags.string({
      description: 'The last day on which what it signed is taken (default: for ever)',
      helpValue: 'YYYY-MM-DD',
    }),
    'output-dir': Flags.string({ description: 'Where to put the files (default: here)', helpValue: 'DIR' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PackageKeygen)
    const { makeKeyPair } = await import('../../package/keyring.ts')
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(args.name))
      throw new EdgeadmError(
        'usage',
        `"${args.name}" cannot be the name of a key: letters, digits, ".", "_" and "-"`,
      )
    if (flags.expires !== undefined && !isDay(flags.expires))
      throw new EdgeadmError('usage', `--expires ${flags.expires} is not a day to come, as in 2027-11-27`)
    const made = makeKeyPair(flags['output-dir'] ?? '.', args.name, flags.expires)
    this.result(`${made.privateKey}\n${made.publicKey}`, { ...made, expires: flags.expires ?? null })
  }
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T23:59:59Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(date.getTime())) return false
  return date.toISOString().startsWith(text) && date.getTime() > Date.now()
}
