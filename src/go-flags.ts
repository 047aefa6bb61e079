/**
 * Command lines as kubeadm's users type them. Go's flag parser takes `--flag=false` for booleans and global flags before
 * the command; oclif does not, so argv is rewritten before it parses. Words of booleans: Go's strconv.ParseBool.
 */

import { EdgeadmError } from './output/errors.ts'

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

export interface FlagShape {
  readonly type: string
  readonly char?: string
  readonly aliases?: readonly string[]
  readonly allowNo?: boolean
}

/**
 * Rewrites `--boolean=value` to what oclif reads; nothing after `--` is touched.
 * @throws EdgeadmError class `usage` for a value that is not a boolean
 */
export function normalizeGoFlags(
  argv: readonly string[],
  flags: Readonly<Record<string, FlagShape>>,
): string[] {
  const booleans = booleanFlags(flags)
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  const own = argv.slice(0, end).flatMap((token) => rewrite(token, booleans))
  return [...own, ...argv.slice(end)]
}

function booleanFlags(
  flags: Readonly<Record<string, FlagShape>>,
): Map<string, { name: string; allowNo: boolean }> {
  const booleans = new Map<string, { name: string; allowNo: boolean }>()
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.type !== 'boolean') continue
    const entry = { name, allowNo: flag.allowNo === true }
    for (const alias of [name, ...(flag.aliases ?? [])]) booleans.set(`--${alias}`, entry)
    if (flag.char) booleans.set(`-${flag.char}`, entry)
  }
  return booleans
}

function rewrite(token: string, booleans: Map<string, { name: string; allowNo: boolean }>): string[] {
  const equals = token.indexOf('=')
  const flag = equals > 0 ? booleans.get(token.slice(0, equals)) : undefined
  if (flag === undefined) return [token]
  const value = token.slice(equals + 1)
  if (TRUE.has(value)) return [`--${flag.name}`]
  // A boolean that has no --no- form is false unless given: leaving it out says the same.
  if (FALSE.has(value)) return flag.allowNo ? [`--no-${flag.name}`] : []
  throw new EdgeadmError(
    'usage',
    `invalid argument "${value}" for "${token.slice(0, equals)}" flag: expected true or false`,
  )
}

/** Moves global flags typed before the command (`edgeadm -v=6 init`) behind it. */
export function hoistCommand(argv: readonly string[], commands: ReadonlySet<string>): string[] {
  const at = argv.findIndex((token) => commands.has(token))
  if (at <= 0) return [...argv]
  const before = argv.slice(0, at)
  return before.every((token) => token.startsWith('-')) ? [...argv.slice(at), ...before] : [...argv]
}
