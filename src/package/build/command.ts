import { execa } from 'execa'
import { EdgeadmError } from '../../output/errors.ts'

export interface ToolOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Each line of stderr as it comes. @returns whether it only tells of progress, so that an error leaves it out */
  readonly onLine?: (line: string) => boolean
  readonly input?: string
}

/**
 * Runs a build tool and returns its stdout.
 * @param title what it is for: "compiling runc"
 * @throws EdgeadmError class `package`, with the end of what the tool wrote
 */
export async function tool(
  title: string,
  file: string,
  args: readonly string[],
  { cwd, env, signal, onLine, input }: ToolOptions,
): Promise<string> {
  const subprocess = execa(file, args, {
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 3000,
    stdin: input === undefined ? 'ignore' : 'pipe',
    ...(input === undefined ? {} : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  })
  const progress = new Set<string>()
  if (onLine !== undefined)
    for await (const line of subprocess.iterable({ from: 'stderr' }))
      if (onLine(String(line))) progress.add(String(line))
  const result = await subprocess
  signal.throwIfAborted()
  if (!result.failed) return String(result.stdout)
  const ended =
    result.exitCode === undefined
      ? (result.code ?? result.signal ?? 'not started')
      : `exit code ${result.exitCode}`
  const lines = (String(result.stderr ?? '').trim() || String(result.stdout ?? ''))
    .trim()
    .split('\n')
    .filter((line) => line !== '' && !progress.has(line))
  throw new EdgeadmError('package', `${title} failed: ${file} (${ended})`, {
    details: lines.slice(-30),
    ...(result.code === 'ENOENT' ? { fix: `install ${file}` } : {}),
  })
}
