import { execa } from 'execa'
import { EdgeadmError } from '../../output/errors.ts'

export interface ToolOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Each line of stderr as it comes. */
  readonly onLine?: (line: string) => void
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
  if (onLine !== undefined)
    for await (const line of subprocess.iterable({ from: 'stderr' })) onLine(String(line))
  const result = await subprocess
  signal.throwIfAborted()
  if (!result.failed) return String(result.stdout)
  const ended =
    result.exitCode === undefined
      ? (result.code ?? result.signal ?? 'not started')
      : `exit code ${result.exitCode}`
  const lines = (String(result.stderr ?? '').trim() || String(result.stdout ?? '')).trim().split('\n')
  throw new EdgeadmError('package', `${title} failed: ${file} (${ended})`, {
    details: lines.slice(-30).filter((line) => line !== ''),
    ...(result.code === 'ENOENT' ? { fix: `install ${file}` } : {}),
  })
}
