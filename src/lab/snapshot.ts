/** The state of every file below a directory, to compare with later. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export interface FileState {
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Nanoseconds since 1970. ctime changes with every change to the file, its owner or mode and cannot be set back. */
  readonly mtime: string
  readonly ctime: string
  readonly inode: string
  /** Of a file: SHA-256, hexadecimal. Of a symbolic link: where it points. */
  readonly content: string
}

/** By path, starting with "/". */
export type Snapshot = ReadonlyMap<string, FileState>

/** Content that is known without reading the file: it returns undefined where it is not. */
export type KnownContent = (path: string, state: Omit<FileState, 'content'>) => string | undefined

/** Reads every file that `known` does not know. Does not follow symbolic links. */
export async function takeSnapshot(root: string, known: KnownContent = () => undefined): Promise<Snapshot> {
  const files = new Map<string, FileState>()
  await walk(root, '', files, known)
  return files
}

async function walk(
  root: string,
  directory: string,
  files: Map<string, FileState>,
  known: KnownContent,
): Promise<void> {
  for (const name of await namesIn(join(root, directory))) {
    const path = `${directory}/${name}`
    const state = await stateOf(root, path, known)
    if (!state) continue
    files.set(path, state)
    if (state.type === 'directory') await walk(root, path, files, known)
  }
}

/** Undefined for what vanished while it was looked at. */
async function stateOf(root: string, path: string, known: KnownContent): Promise<FileState | undefined> {
  try {
    const stat = await lstat(root + path, { bigint: true })
    const state = {
      type: typeOf(stat),
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: Number(stat.size),
      mtime: String(stat.mtimeNs),
      ctime: String(stat.ctimeNs),
      inode: String(stat.ino),
    } as const
    return { ...state, content: known(path, state) ?? (await contentOf(root + path, state)) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function typeOf(stat: {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}): FileState['type'] {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  return stat.isSymbolicLink() ? 'symlink' : 'other'
}

/** A stream for each of many small files would take longer than reading them does. */
const READ_WHOLE = 4 << 20

async function contentOf(path: string, state: Pick<FileState, 'type' | 'size'>): Promise<string> {
  if (state.type === 'symlink') return readlink(path)
  if (state.type !== 'file') return ''
  const hash = createHash('sha256')
  if (state.size <= READ_WHOLE) return hash.update(await readFile(path)).digest('hex')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export async function writeSnapshot(file: string, snapshot: Snapshot): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify([...snapshot]))
  await rename(`${file}.new`, file)
}

/** Undefined if it was never written. */
export async function readSnapshot(file: string): Promise<Snapshot | undefined> {
  try {
    return new Map(JSON.parse(await readFile(file, 'utf8')) as [string, FileState][])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
