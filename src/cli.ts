/**
 * oclif, set up once. Commands are handed over in memory instead of being found on disk, so that the same code runs in
 * development, in tests and in the one executable.
 */

import { type Command, Errors, type Interfaces, Plugin, run, settings } from '@oclif/core'
import { COMMANDS } from './commands/index.ts'
import { hoistCommand } from './go-flags.ts'
import { EXIT_CODES } from './output/errors.ts'
import { nearest } from './output/nearest.ts'
import { VERSION } from './version.ts'

const OCLIF: Interfaces.PJSON['oclif'] = {
  bin: 'edgeadm',
  topicSeparator: ' ',
  additionalHelpFlags: ['-h'],
  additionalVersionFlags: ['-V'],
  exitCodes: { default: EXIT_CODES.usage },
  topics: {
    init: { description: 'Set up the first master' },
    join: { description: 'Join a worker, an edge node or another master' },
    replace: { description: 'Another machine in the place of one' },
    reset: { description: 'Put the machine back as it was' },
    backup: { description: 'Backups of the cluster, and proof that they can be restored' },
    status: { description: 'What the cluster consists of, and what needs hands' },
    certs: { description: 'Certificates: when they end, and new ones' },
    token: { description: 'Manage bootstrap tokens' },
    upgrade: { description: 'Bring a cluster to a newer Kubernetes' },
    package: { description: 'Build, verify and inspect the offline package' },
    lab: { description: 'A whole cluster in booted machines on this one host, to try and to test' },
  },
  commands: { identifier: 'COMMANDS', strategy: 'explicit', target: 'embedded' },
}

/** Fills what oclif's explicit strategy would import from a file. */
class EmbeddedPlugin extends Plugin {
  constructor(options: Interfaces.PluginOptions, commands: Readonly<Record<string, Command.Class>>) {
    super(options)
    Object.assign(this, { commandCache: commands })
  }
}

export async function runCli(argv: readonly string[]): Promise<unknown> {
  settings.enableAutoTranspile = false
  const pjson = { name: 'edgeadm', version: VERSION, oclif: OCLIF } as Interfaces.PJSON
  const plugin = new EmbeddedPlugin(
    { ignoreManifest: true, isRoot: true, pjson, root: '/nonexistent' },
    COMMANDS,
  )
  await plugin.load()
  const words = commandWords(
    hoistCommand(argv, new Set(Object.keys(COMMANDS).map((id) => id.split(':')[0] ?? id))),
  )
  return run([...words], { pjson, plugins: new Map([[plugin.name, plugin]]), root: '/nonexistent' })
}

/** `edgeadm help init` is `edgeadm init --help`; no words at all ask for help too. */
function commandWords(argv: readonly string[]): readonly string[] {
  if (argv.length === 0) return ['--help']
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
}

export async function main(argv: readonly string[]): Promise<void> {
  try {
    await runCli(argv)
  } catch (error) {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? 0
      return
    }
    process.stderr.write(
      `error: ${unknownCommand(argv) ?? (error instanceof Error ? error.message : String(error))}\n`,
    )
    process.exitCode = EXIT_CODES.usage
  }
}

/** The sentence for words that are no command; undefined if they are one. */
function unknownCommand(argv: readonly string[]): string | undefined {
  const words = argv.filter((token) => !token.startsWith('-'))
  const ids = Object.keys(COMMANDS)
  const known = words.findIndex((_, index) => ids.includes(words.slice(0, words.length - index).join(':')))
  if (known === 0) return undefined
  const command = known > 0 ? words.slice(0, words.length - known).join(' ') : ''
  if (command !== '')
    return `unexpected argument "${words[words.length - known]}" for "edgeadm ${command}"; see \`edgeadm ${command} --help\``
  const meant = nearest(
    words.join(' '),
    ids.map((id) => id.replaceAll(':', ' ')),
  )
  return `unknown command "${words.join(' ')}" for "edgeadm"${meant === undefined ? '' : `; did you mean \`edgeadm ${meant}\`?`} See \`edgeadm --help\``
}
