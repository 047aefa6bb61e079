/** Runs a command of the host; the one place where the lab starts a sub-process that it waits for. */

import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { EdgeadmError } from '../output/errors.ts'

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

export interface CommandOptions {
  readonly signal?: AbortSignal
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds. */
  readonly timeout?: number
  /** Called for each line of standard output and standard error as it comes. */
  readonly onLine?: (line: string) => void
}

/**
 * Resolves with any exit code; 127 if there is no such program, 128 and more if a signal ended it.
 * @throws {EdgeadmError} class `interrupted` when the signal aborts it, `timeout` when it took too long
 */
export async function probe(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = execa(file, args, {
    reject: false,
    all: options.onLine !== undefined,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input !== undefined && { input: options.input }),
    ...(options.signal && { cancelSignal: options.signal }),
    ...(options.env && { env: options.env }),
    ...(options.timeout !== undefined && { timeout: options.timeout, forceKillAfterDelay: 2000 }),
  })
  if (options.onLine && child.all) createInterface({ input: child.all }).on('line', options.onLine)
  const result = await child
  const { stdout, stderr } = result as { stdout?: string; stderr?: string }
  if (result.isCanceled) throw new EdgeadmError('interrupted', `${file} was interrupted`)
  if (result.timedOut)
    throw new EdgeadmError('timeout', `${file} took longer than ${(options.timeout ?? 0) / 1000} s`, {
      details: tail(`${stdout ?? ''}\n${stderr ?? ''}`),
    })
  return { stdout: stdout ?? '', stderr: stderr ?? '', exitCode: exitCodeOf(result) }
}

/** As a shell gives it: 127 if there is no such program, 128 and its number if a signal ended it. */
export function exitCodeOf(result: {
  readonly exitCode?: number | undefined
  readonly code?: string | undefined
  readonly signal?: string | undefined
}): number {
  if (result.exitCode !== undefined) return result.exitCode
  if (result.code === 'ENOENT') return 127
  return 128 + (constants.signals[result.signal as NodeJS.Signals] ?? 0)
}

/** @throws {EdgeadmError} class `phase` unless it exits with 0 */
export async function run(file: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const result = await probe(file, args, options)
  if (result.exitCode === 0) return result.stdout
  throw new EdgeadmError('phase', `${[file, ...args].join(' ')} failed with exit code ${result.exitCode}`, {
    details: tail(`${result.stdout}\n${result.stderr}`),
  })
}

/** The last lines that say anything. */
export function tail(text: string, lines = 15): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-lines)
}
