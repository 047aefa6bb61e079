import { EdgeadmError } from '../../output/errors.ts'
import { type LegacyCommand, legacyFlags } from './legacy.ts'

/**
 * Turns the flags of SuperEdge's edgeadm in a command line into today's. What follows `--` is left alone.
 * `--skip-phases` that a legacy flag stands for is merged by the flag's own repeatability.
 * @throws EdgeadmError class `usage` with one sentence for each flag that has no counterpart
 */
export function rewriteLegacyFlags(command: LegacyCommand, argv: readonly string[]): string[] {
  const problems: string[] = []
  const result: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] as string
    if (token === '--') {
      result.push(...argv.slice(index))
      break
    }
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(token)
    const flag = match ? legacyFlags[match[1] as string] : undefined
    if (!match || !flag?.commands.includes(command)) {
      result.push(token)
      continue
    }
    let value = match[2]
    if (value === undefined && flag.takesValue) value = argv[++index] ?? ''
    const replacement = flag.honour?.(value ?? 'true')
    if (replacement) result.push(...replacement)
    else problems.push(flag.sentence)
  }
  if (problems.length === 1) throw new EdgeadmError('usage', problems[0] as string)
  if (problems.length > 1) {
    throw new EdgeadmError('usage', `${problems.length} flags of SuperEdge's edgeadm have no counterpart`, {
      details: problems,
    })
  }
  return result
}
