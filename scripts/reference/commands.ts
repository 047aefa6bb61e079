/** What oclif knows of each command, as plain data: the man pages, the command reference and the test of the documents read it. */

import type { Command } from '@oclif/core'

/** One flag, as a user types it. */
export interface FlagEntry {
  /** With dashes: `--config`, `-o`. The long name comes first. */
  readonly names: readonly string[]
  /** `FILE`; undefined for a switch. */
  readonly value: string | undefined
  readonly description: string
}

export interface CommandEntry {
  /** `edgeadm init phase` */
  readonly name: string
  readonly summary: string
  readonly description: string
  /** `NAME [CHILD]` */
  readonly arguments: readonly { readonly usage: string; readonly description: string }[]
  readonly flags: readonly FlagEntry[]
  readonly examples: readonly string[]
}

interface FlagShape {
  readonly type: string
  readonly char?: string
  readonly description?: string
  readonly summary?: string
  readonly helpValue?: string
  readonly options?: readonly string[]
  readonly hidden?: boolean
  readonly allowNo?: boolean
}

/** All commands by name. Hidden flags are left out: they are of other tools, and say what replaces them. */
export function describeCommands(commands: Readonly<Record<string, Command.Class>>): CommandEntry[] {
  return Object.entries(commands)
    .map(([id, command]) => describeCommand(id, command))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function describeCommand(id: string, command: Command.Class): CommandEntry {
  const flags = Object.entries({ ...command.flags, ...command.baseFlags }) as [string, FlagShape][]
  return {
    name: `edgeadm ${id.replaceAll(':', ' ')}`,
    summary: filled(command.summary ?? ''),
    description: filled(command.description ?? ''),
    arguments: Object.entries(command.args ?? {}).map(([name, argument]) => ({
      usage: argument.required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`,
      description: filled(argument.description ?? ''),
    })),
    flags: flags
      .filter(([, flag]) => flag.hidden !== true)
      .map(([name, flag]) => describeFlag(name, flag))
      .sort((a, b) => (String(a.names[0]) < String(b.names[0]) ? -1 : 1)),
    examples: (command.examples ?? []).map((example) =>
      filled(typeof example === 'string' ? example : example.command),
    ),
  }
}

function describeFlag(name: string, flag: FlagShape): FlagEntry {
  const long = name.length === 1 ? `-${name}` : `--${name}`
  const names = [flag.allowNo === true ? `--[no-]${name}` : long]
  if (flag.char !== undefined && flag.char !== name) names.push(`-${flag.char}`)
  return {
    names,
    value: flag.type === 'boolean' ? undefined : (flag.options?.join('|') ?? flag.helpValue ?? 'VALUE'),
    description: filled(flag.description ?? flag.summary ?? ''),
  }
}

/** oclif's own place holders. */
function filled(text: string): string {
  return text.replaceAll('<%= config.bin %>', 'edgeadm').replaceAll('<%= command.id %>', '').trim()
}
