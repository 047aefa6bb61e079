import { accessSync, constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { execa } from 'execa'
import { messageOf } from '../output/errors.ts'
import type { CommandOptions, FileStat, Output } from './host.ts'
import type { Machine } from './machine.ts'
import { ownRun, RUN_VARIABLE } from './orphans.ts'
import { systemEnvironment } from './system-environment.ts'
import { temporaryName } from './temporary.ts'

/** Milliseconds between SIGTERM and SIGKILL for a command that is to stop. */
const KILL_DELAY = 5000

/** This machine. */
export class LocalMachine implements Machine {
  readonly #signal: AbortSignal | undefined

  /** @param signal stops running commands when aborted */
  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  async execute(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Output> {
    this.#signal?.throwIfAborted()
    const signals = [this.#signal, options.signal].filter((one) => one !== undefined)
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
    const child = execa(file, [...args], {
      reject: false,
      all: options.onLine !== undefined,
      stripFinalNewline: true,
      forceKillAfterDelay: KILL_DELAY,
      env: { ...systemEnvironment(), [RUN_VARIABLE]: await ownRun(), ...options.env },
      extendEnv: false,
      ...(options.input === undefined
        ? { stdin: 'ignore' as const }
        : { input: options.input as string | Uint8Array }),
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      cwd: options.cwd ?? workingDirectory(),
      // In a session of its own: when the terminal goes away, the kernel sends SIGHUP to all that are in its session.
      detached: true,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    })
    const reported =
      options.onLine === undefined ? undefined : forwardLines(child.iterable({ from: 'all' }), options.onLine)
    const release = endGroupWith(child.pid, signal)
    const result = await child.finally(release)
    await reported
    this.#signal?.throwIfAborted()
    options.signal?.throwIfAborted()
    const stdout = typeof result.stdout === 'string' ? result.stdout : ''
    const stderr = typeof result.stderr === 'string' ? result.stderr : ''
    if (result.exitCode !== undefined) return { stdout, stderr, exitCode: result.exitCode }
    if (isMissing(result.cause)) return { stdout: '', stderr: `${file}: command not found`, exitCode: 127 }
    // Killed: by the time-out or by somebody else. 124 is what timeout(1) says.
    const why = result.timedOut
      ? `${file} did not end within ${(options.timeout ?? 0) / 1000} s`
      : `${file} was ended by ${result.signal ?? messageOf(result.cause)}`
    return { stdout, stderr: [stderr, why].filter(Boolean).join('\n'), exitCode: result.timedOut ? 124 : 137 }
  }

  async perform(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Output> {
    return this.execute(file, args, options)
  }

  async readFile(path: string): Promise<Buffer | undefined> {
    return absentAsUndefined(fs.readFile(path))
  }

  async list(path: string): Promise<string[]> {
    return ((await absentAsUndefined(fs.readdir(path))) ?? []).sort()
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const stat = await absentAsUndefined(fs.lstat(path))
    if (stat === undefined) return undefined
    const type = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'directory'
        : stat.isSymbolicLink()
          ? 'symlink'
          : 'other'
    return { type, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, size: stat.size }
  }

  async readLink(path: string): Promise<string> {
    return fs.readlink(path)
  }

  async writeFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
    await this.#replace(path, mode, async (handle) => handle.writeFile(content))
  }

  async copyFile(from: string, path: string, mode: number): Promise<void> {
    const temporary = temporaryName(path)
    try {
      // Unpacked binaries are large, and nobody changes them in place: a second name costs nothing.
      await fs.link(from, temporary).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EXDEV' && error.code !== 'EPERM') throw error
        await fs.copyFile(from, temporary, constants.COPYFILE_FICLONE)
      })
      await fs.chmod(temporary, mode)
      await fs.rename(temporary, path)
    } catch (error) {
      await fs.rm(temporary, { force: true })
      throw error
    }
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    await fs.mkdir(path, { mode })
    // mkdir's mode is cut by the umask.
    await fs.chmod(path, mode)
  }

  async symlink(path: string, target: string): Promise<void> {
    const temporary = temporaryName(path)
    await fs.symlink(target, temporary)
    await fs.rename(temporary, path)
  }

  async remove(path: string): Promise<void> {
    await fs.rm(path)
  }

  async removeDirectory(path: string): Promise<void> {
    await fs.rmdir(path)
  }

  async chmod(path: string, mode: number): Promise<void> {
    await fs.chmod(path, mode)
  }

  async chown(path: string, uid: number, gid: number): Promise<void> {
    await fs.lchown(path, uid, gid)
  }

  async setModified(path: string, seconds: number): Promise<void> {
    await fs.lutimes(path, seconds, seconds)
  }

  async modified(path: string): Promise<number> {
    return (await fs.lstat(path)).mtimeMs / 1000
  }

  /**
   * A file that is replaced keeps its owner, ACL, extended attributes and SELinux label: /etc/hosts with another label is a
   * file that confined programs may not read. cp(1) leaves out what the file system does not have.
   */
  async #keepAttributes(path: string, temporary: string): Promise<void> {
    const stat = await this.stat(path)
    if (stat?.type !== 'file') return
    const copied = await this.execute('cp', ['--attributes-only', '--preserve=all', '--', path, temporary])
    // Without GNU's cp: the owner at least.
    if (copied.exitCode !== 0) await fs.chown(temporary, stat.uid, stat.gid)
  }

  async #replace(path: string, mode: number, fill: (handle: fs.FileHandle) => Promise<void>): Promise<void> {
    const temporary = temporaryName(path)
    try {
      const handle = await fs.open(temporary, 'wx', mode)
      try {
        await fill(handle)
        await this.#keepAttributes(path, temporary)
        const now = new Date()
        await handle.utimes(now, now)
        await handle.chmod(mode)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await fs.rename(temporary, path)
    } catch (error) {
      await fs.rm(temporary, { force: true })
      throw error
    }
  }
}

/** Process groups of commands that run. Such a group has its first process' number. */
const groups = new Set<number>()
process.on('exit', () => {
  for (const group of groups) killGroup(group)
})

/** Ends a command and what it started (the parts of a pipe) when the signal comes, or when this process ends. */
function endGroupWith(pid: number | undefined, signal: AbortSignal | undefined): () => void {
  if (pid === undefined) return () => {}
  const end = (): void => killGroup(pid)
  groups.add(pid)
  signal?.addEventListener('abort', end)
  return () => {
    groups.delete(pid)
    signal?.removeEventListener('abort', end)
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A caller's directory may be one that they may not enter, or may be removed by now; nothing could be started there. */
function workingDirectory(): string {
  try {
    const directory = process.cwd()
    accessSync(directory, constants.X_OK)
    return directory
  } catch {
    return '/'
  }
}

async function forwardLines(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  for await (const line of lines) onLine(String(line))
}

async function absentAsUndefined<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}
