/**
 * A machine as phases see it. They read and change a machine only through this interface, so every change can be
 * recorded with its inverse before it happens (recorded.ts), planned instead of made (dry-run.ts), or made in memory
 * for unit tests (memory.ts). local.ts is the real thing underneath.
 */

export interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

export interface CommandOptions {
  /** Bytes for standard input; the way for secrets, which never go into argv. */
  readonly input?: string | Uint8Array
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds; the command is killed afterwards. Default: none. */
  readonly timeout?: number
  /** Ends the command when aborted; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called for each line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void
  readonly cwd?: string
  /** Exit codes that are an answer rather than a failure; default [0]. */
  readonly okExitCodes?: readonly number[]
}

/** How a command is taken back: another command, run by `edgeadm reset`. `null` says that nothing is left to undo. */
export interface Undo {
  readonly file: string
  readonly args: readonly string[]
  /** A command that changes nothing; when it exits with 0, all is as before already: the change never came to happen. */
  readonly unless?: { readonly file: string; readonly args: readonly string[] }
}

export interface RunOptions extends CommandOptions {
  /** What it does, for the plan, the log and the residue report: "import 7 images". */
  readonly title: string
  readonly undo: Undo | null
}

export interface FileStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes. */
  readonly size: number
}

export interface ServiceState {
  readonly enabled: boolean
  readonly active: boolean
}

/** Looks at a machine and cannot change it. */
export interface Look {
  /** Runs a command that changes nothing. Resolves with any exit code; rejects only if it cannot be started (ENOENT: exit code 127). */
  probe(file: string, args: readonly string[], options?: CommandOptions): Promise<Output>

  /** Undefined if there is no such file. */
  readFile(path: string): Promise<string | undefined>
  /** Names in a directory, sorted; empty if there is none. */
  list(path: string): Promise<string[]>
  /** Does not follow a final symbolic link. Undefined if there is nothing. */
  stat(path: string): Promise<FileStat | undefined>
  /** Of a systemd unit. */
  serviceState(unit: string): Promise<ServiceState>
}

/** Changes a machine as well. */
export interface Host extends Look {
  /** Runs a command that changes something. Rejects with EdgeadmError class `phase` on another exit code. */
  run(file: string, args: readonly string[], options: RunOptions): Promise<Output>

  /**
   * Writes atomically (temporary file, fsync, rename); makes missing parent directories. Unchanged content is no change.
   * `format`: others add to such a file, and reset takes only edgeadm's own part out of it.
   */
  writeFile(
    path: string,
    content: string | Uint8Array,
    options?: { mode?: number; secret?: boolean; format?: 'kubeconfig' },
  ): Promise<boolean>
  /** Puts a file from the unpacked package in its place, atomically. `content` of `from` was verified before. */
  installFile(from: string, path: string, options: { mode: number }): Promise<boolean>
  /** Makes a directory and its parents. */
  makeDirectory(path: string, options?: { mode?: number }): Promise<boolean>
  /** Removes a file or link; a directory with all in it only with `recursive`. */
  remove(path: string, options?: { recursive?: boolean }): Promise<boolean>
  /** Makes `path` a symbolic link to `target`. */
  link(path: string, target: string): Promise<boolean>

  /** Brings a systemd unit to a state; `restart` when it is to run afresh. */
  service(unit: string, state: Partial<ServiceState> & { restart?: boolean }): Promise<boolean>
  /** Sets a kernel parameter now (not for the next boot). */
  sysctl(key: string, value: string): Promise<boolean>
  /** Loads a kernel module unless it is there (built in counts). */
  module(name: string): Promise<boolean>
  /** `mount(8)` with its arguments; undone by unmounting the target. */
  mount(args: {
    source: string
    target: string
    type?: string
    options?: readonly string[]
  }): Promise<boolean>

  /**
   * Says beforehand that something else (kubeadm, the kubelet, a CNI plugin) will make `path` or things directly in it,
   * so that reset removes them. What is already there stays. Below /etc, and where it will be `emptied`, it is kept with its
   * contents: kubeadm's own reset empties directories without asking whose files they hold. `quiet`: only for the record.
   */
  claim(path: string, options?: { emptied?: boolean; quiet?: boolean }): Promise<void>
  /** As `claim`, for a kernel parameter that something else will set. Its name as in /proc/sys: `vm/overcommit_memory`. */
  claimSysctl(key: string): Promise<void>
  /** As `claim`, for a systemd unit that another unit will start. */
  claimService(unit: string): Promise<void>
}
