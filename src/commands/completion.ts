import { Args, type Command } from '@oclif/core'
import { BaseCommand } from './base.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for a shell'
  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/edgeadm.fish',
  ]
  static override args = {
    shell: Args.string({
      required: true,
      ignoreStdin: true,
      options: [...SHELLS],
      description: 'bash, zsh or fish',
    }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(Completion)
    const { render } = await import('../templates.ts')
    const { COMMANDS } = await import('./index.ts')
    const words = completionWords(COMMANDS)
    this.result(render(`completion/edgeadm.${args.shell}`, { words }).trimEnd(), words)
  }
}

/** What may follow each command: its sub-commands and flags. The key of the top is "". */
export function completionWords(commands: Readonly<Record<string, Command.Class>>): Record<string, string[]> {
  const words: Record<string, Set<string>> = { '': new Set(['--help', '--version']) }
  for (const [id, command] of Object.entries(commands)) {
    if (command.hidden) continue
    const path = id.split(':')
    for (const [index, word] of path.entries()) {
      const parent = path.slice(0, index).join(' ')
      words[parent] ??= new Set(['--help'])
      words[parent].add(word)
    }
    const flags = Object.keys({ ...command.baseFlags, ...command.flags }).map((name) =>
      name.length === 1 ? `-${name}` : `--${name}`,
    )
    const own = path.join(' ')
    words[own] = new Set([...(words[own] ?? []), ...flags, '--help'])
  }
  return Object.fromEntries(Object.entries(words).map(([path, set]) => [path, [...set].sort()]))
}
