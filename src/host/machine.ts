/**
 * What a host stands on: the plain operations of one machine, without record or judgement.
 * local.ts does them on this machine, memory.ts (in test/) in memory.
 */

import type { CommandOptions, FileStat, Output } from './host.ts'

export interface Machine {
  /** Runs a command that only looks. Resolves with any exit code; a program that does not exist: exit code 127. */
  execute(file: string, args: readonly string[], options?: CommandOptions): Promise<Output>
  /** As execute, for a command that changes something: not carried out in a dry run. */
  perform(file: string, args: readonly string[], options?: CommandOptions): Promise<Output>
  readFile(path: string): Promise<Buffer | undefined>
  list(path: string): Promise<string[]>
  stat(path: string): Promise<FileStat | undefined>
  readLink(path: string): Promise<string>
  /** Atomic and durable: temporary file beside it, fsync, rename. */
  writeFile(path: string, content: string | Uint8Array, mode: number): Promise<void>
  /** As writeFile, from another file, which may become a second name of it. */
  copyFile(from: string, path: string, mode: number): Promise<void>
  /** One level; the parent exists. */
  makeDirectory(path: string, mode: number): Promise<void>
  symlink(path: string, target: string): Promise<void>
  remove(path: string): Promise<void>
  /** An empty directory only; ENOTEMPTY otherwise. */
  removeDirectory(path: string): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  chown(path: string, uid: number, gid: number): Promise<void>
  /** Seconds since the epoch. */
  setModified(path: string, seconds: number): Promise<void>
  modified(path: string): Promise<number>
}
