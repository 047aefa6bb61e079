/** Finds the `edgeadm …` lines of a Markdown page and checks them against the commands that there are. */

import type { Command } from '@oclif/core'

interface FlagShape {
  readonly char?: string
  readonly aliases?: readonly string[]
  readonly allowNo?: boolean
}

/** Command lines in indented and fenced code, and in `inline code`, without comments and without what the shell does with them. */
export function commandLines(page: string): string[] {
  const found: string[] = []
  let fenced = false
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced
    else if (fenced || line.startsWith('    ')) found.push(...inCode(line))
    else
      for (const [, code] of line.matchAll(/`([^`]+)`/g))
        if (code?.startsWith('edgeadm ')) found.push(...inCode(code))
  }
  return found
}

function inCode(code: string): string[] {
  const command = code.replace(/(^|\s)#.*$/, '')
  return [...command.matchAll(/(?:^|[\s(])(edgeadm\s[^|;&>)]*)/g)].map(([, line]) =>
    String(line)
      .replace(/\s(in|on)\s.*$|\s{3,}.*$/, '')
      .trim(),
  )
}

/** What is wrong with a command line, or undefined. Place holders (`…`, `NAME`, `[flags]`) may stand where arguments do. */
export function problemOf(
  line: string,
  commands: Readonly<Record<string, Command.Class>>,
): string | undefined {
  const words = line.split(/\s+/).slice(1)
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  const ids = Object.keys(commands)
  const length = [3, 2, 1].find((count) => ids.includes(own.slice(0, count).join(':')))
  if (length === undefined) {
    const first = own[0] ?? ''
    const isTopic = own.length === 1 && ids.some((id) => id.startsWith(`${first}:`))
    return isTopic || !/^[a-z]/.test(first) ? undefined : `no command: edgeadm ${own.join(' ')}`
  }
  const id = own.slice(0, length).join(':')
  const name = `edgeadm ${id.replaceAll(':', ' ')}`
  const command = commands[id] as Command.Class
  const known = flagNames(command)
  const rest = own.slice(length)
  const unknown = rest.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0])
  for (const flag of unknown) if (!known.has(String(flag))) return `${name} has no ${flag}`
  const extra = rest[0]
  if (
    extra !== undefined &&
    /^[a-z]/.test(extra) &&
    Object.keys(command.args ?? {}).length === 0 &&
    command.strict !== false
  )
    return `${name} takes no "${extra}"`
  return undefined
}

function flagNames(command: Command.Class): Set<string> {
  const names = new Set(['--help', '-h'])
  for (const [name, flag] of Object.entries({ ...command.baseFlags, ...command.flags }) as [
    string,
    FlagShape,
  ][]) {
    for (const each of [name, ...(flag.aliases ?? [])])
      names.add(each.length === 1 ? `-${each}` : `--${each}`)
    if (flag.allowNo === true) names.add(`--no-${name}`)
    if (flag.char !== undefined) names.add(`-${flag.char}`)
  }
  return names
}
