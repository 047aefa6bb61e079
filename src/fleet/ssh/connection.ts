/** One connection to one host, whatever carries it. Commands run one beside the other on it. */

import type { Readable } from 'node:stream'
import { EdgeadmError } from '../../output/errors.ts'

export interface ExecOptions {
  readonly stdin?: string | Buffer | Readable
  /** Called for each line of standard output as it comes; then it is not kept. */
  readonly onLine?: (line: string) => void
  /** Milliseconds; default 60 s. 0: for ever. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** How commands become root's. */
export type Elevation =
  | { readonly kind: 'none' }
  | { readonly kind: 'sudo' }
  | { readonly kind: 'sudo-password'; readonly password: string }

/** Characters. What a program writes beyond it is dropped, the oldest first. */
const KEPT = 1 << 20
/** Milliseconds. */
export const TIMEOUT = 60_000

export abstract class Connection {
  elevation: Elevation = { kind: 'none' }

  abstract get isLost(): boolean

  abstract close(): void

  /**
   * Runs a command, whose words the login shell takes as they are.
   * @param secret a line that the command reads before all other input
   * @throws ConnectionLost
   */
  protected abstract exec(
    words: readonly string[],
    options: ExecOptions,
    secret?: string,
  ): Promise<ExecResult>

  /** Runs a shell script as the login user, with arguments as `$1` and so on. Resolves with any exit code. */
  async run(script: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    return this.exec(['sh', '-c', script, 'edgeadm', ...args], options)
  }

  /** The same as root. */
  async runAsRoot(
    script: string,
    args: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<ExecResult> {
    const command = ['sh', '-c', script, 'edgeadm', ...args]
    const { elevation } = this
    if (elevation.kind === 'none') return this.exec(command, options)
    if (elevation.kind === 'sudo') return this.exec(['sudo', '-n', '--', ...command], options)
    // -k: sudo asks in any case, so the first line is always the password, and never the command's input.
    return this.exec(['sudo', '-k', '-S', '-p', '', '--', ...command], options, elevation.password)
  }

  /** @throws EdgeadmError class `phase` unless it exits with 0 */
  async check(what: string, result: Promise<ExecResult>): Promise<string> {
    const { exitCode, stdout, stderr } = await result
    if (exitCode === 0) return stdout
    const lines = stderr.trim().split('\n')
    throw new EdgeadmError('phase', `${what}: ${lines.at(-1) || `exit code ${exitCode}`}`, {
      details: lines.slice(0, -1),
    })
  }
}

/** What a host writes is shown to people: on their terminal control characters would act. Tabs and ends of lines stay. */
export function withoutControls(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}

/** Keeps the end of a text, or hands on its lines. A line without an end does not fill the memory. */
export function collector(onLine: ((line: string) => void) | undefined): {
  take(chunk: string): void
  end(): string
} {
  let kept = ''
  return {
    take(chunk) {
      kept += withoutControls(chunk)
      if (onLine === undefined) {
        kept = kept.slice(-KEPT)
        return
      }
      const lines = kept.split('\n')
      kept = (lines.pop() ?? '').slice(-KEPT)
      lines.forEach(onLine)
    },
    end() {
      if (onLine !== undefined && kept !== '') onLine(kept)
      return onLine === undefined ? kept : ''
    },
  }
}

/** One command line for the login shell, whichever it is: single quotes mean the same in all. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
}
