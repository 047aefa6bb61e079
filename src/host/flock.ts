/**
 * Locks of the kernel (flock(2)). The kernel releases such a lock when its holder ends, however it ends. A holder that is
 * stopped keeps it. So there is no heartbeat, no stale time and nothing to clean up.
 *
 * Node.js cannot call flock(2). The program flock(1) of util-linux can: it is given our open file and locks that. The lock
 * belongs to the open file, not to the program, and this process keeps the file open. Node.js opens files with O_CLOEXEC,
 * so commands that we start do not hold the lock.
 */

import { spawnSync } from 'node:child_process'
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'
import { SYSTEM_PATH } from './system-environment.ts'

/** Milliseconds between two attempts of one that waits. */
const INTERVAL = 200
/** What flock(1) shall answer when another process holds the lock. */
const HELD = 99

export interface FileLock {
  /** Replaces what the file of the lock says. */
  note(text: string): Promise<void>
  /** Removes the file and gives the lock back. */
  release(): Promise<void>
}

/**
 * Takes the lock on `path`, a file made for it, mode 0600, so that only its owner can lock it.
 * @returns undefined if another process, or this one, holds it
 * @throws EdgeadmError class `preflight` if there is no flock(1)
 */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  for (;;) {
    const file = await openForLock(path)
    try {
      if (!lock(file)) {
        await file.close()
        return undefined
      }
      // The holder before us may have removed the file after we had opened it. Then ours is not the one others open.
      if (await isStillAt(file, path)) return fileLock(file, path)
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
  }
}

/** Takes the lock as soon as it is free. @param onWait called once, if it is not free now */
export async function waitForLock(path: string, signal: AbortSignal, onWait: () => void): Promise<FileLock> {
  for (let isFirst = true; ; isFirst = false) {
    signal.throwIfAborted()
    const taken = await tryLock(path)
    if (taken !== undefined) return taken
    if (isFirst) onWait()
    await delay(INTERVAL, undefined, { signal })
  }
}

/** Another run may remove the directory between the two steps: /run/edgeadm goes with its lock. */
async function openForLock(path: string): Promise<FileHandle> {
  for (;;) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    try {
      return await open(path, 'a+', 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Waits some milliseconds for flock(1), which never waits itself. */
function lock(file: FileHandle): boolean {
  const args = ['--exclusive', '--nonblock', '--conflict-exit-code', String(HELD), '3']
  const { status, error, stderr } = spawnSync('flock', args, {
    stdio: ['ignore', 'ignore', 'pipe', file.fd],
    env: { PATH: SYSTEM_PATH },
    cwd: '/',
    encoding: 'utf8',
  })
  if (status === 0) return true
  if (status === HELD) return false
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    throw new EdgeadmError('preflight', `there is no program flock in ${SYSTEM_PATH}`, {
      fix: 'install the package util-linux',
    })
  const why = error?.message ?? (stderr.trim() || `it ended with ${status}`)
  throw new EdgeadmError('preflight', `flock cannot lock: ${why}`)
}

async function isStillAt(file: FileHandle, path: string): Promise<boolean> {
  const ours = await file.stat()
  try {
    const there = await stat(path)
    return there.ino === ours.ino && there.dev === ours.dev
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function fileLock(file: FileHandle, path: string): FileLock {
  return {
    async note(text) {
      await file.truncate()
      await file.write(text)
    },
    async release() {
      // While it is held: whoever opened the file before finds that it is gone, and opens anew.
      await rm(path, { force: true })
      await file.close()
    },
  }
}
