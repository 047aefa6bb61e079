/** Files for hosts: sent once, gone on with where they stopped, and there under their name only when they are whole. */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { EdgeadmError } from '../output/errors.ts'
import { sha256Of } from '../package/fetch.ts'
import { templateText } from '../templates.ts'
import { EXECUTABLE, FLEET_DIRECTORY } from './paths.ts'
import type { Ticket } from './relay/relay.ts'
import type { Connection } from './ssh/connection.ts'
import { ConnectionLost } from './ssh/errors.ts'

export interface LocalFile {
  readonly path: string
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** @throws EdgeadmError class `usage` if there is no such file */
export async function localFile(what: string, path: string): Promise<LocalFile> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new EdgeadmError('usage', `the ${what} ${path} does not exist`)
  if (!found.isFile())
    throw new EdgeadmError('usage', `the ${what} ${path} is not a file`, {
      fix: 'hosts are sent one file: name the package as edgeadm package build made it',
    })
  return { path, sha256: (await sha256Of(path)) as string, size: found.size }
}

/** How often a broken transfer is gone on with. */
const TRIES = 5
/** Milliseconds without an end after which a transfer counts as broken: slower than 16 kB/s for 300 MB. */
const LIMIT = 6 * 3_600_000

export interface Transfer {
  /** Makes a connection anew. */
  readonly reconnect: () => Promise<Connection>
  /** How the host is called in messages. */
  readonly label: string
  readonly file: LocalFile
  /** Path on the host. */
  readonly target: string
  readonly mode: string
  /** Told of bytes that left this machine. */
  readonly count: (bytes: number) => void
  readonly signal: AbortSignal
}

/** Exit codes of receive.sh and fetch.sh. */
const IS_OTHER = 65
const IS_SHORT = 66

/** Sends a file to the host. A part that is there already, from an earlier try, is not sent again. */
export async function sendFile(connection: Connection, transfer: Transfer): Promise<void> {
  const { reconnect, label, file, target, mode, count, signal } = transfer
  let current = connection
  for (let attempt = 1; ; attempt += 1) {
    try {
      const there = await partSize(current, target)
      // More than the whole is of another file.
      const start = there < file.size ? there : 0
      const stdin = createReadStream(file.path, { start, highWaterMark: 1 << 20 })
      const result = await current
        .runAsRoot(
          templateText('fleet/receive.sh'),
          [target, file.sha256, mode, String(start), String(file.size)],
          { stdin, timeout: LIMIT, signal },
        )
        .finally(() => {
          count(stdin.bytesRead)
          stdin.destroy()
        })
      if (result.exitCode === IS_SHORT) throw new ConnectionLost(`${label}: ${result.stderr.trim()}`)
      // The part was of another file; the host has removed it.
      if (result.exitCode === IS_OTHER && start > 0 && attempt < TRIES) continue
      await current.check(`${label}: ${target} cannot be written`, Promise.resolve(result))
      return
    } catch (error) {
      if (!(error instanceof ConnectionLost) || attempt === TRIES) throw error
      current = await reconnect()
    }
  }
}

/** Seconds: a host that gives less than 256 KiB/s is worse than most lines of this machine. */
const fetchLimit = (size: number): number => Math.ceil(60 + size / (256 << 10))

/**
 * Lets the host take a file from another one of its site.
 * @returns undefined if it has it; else why not
 */
export async function fetchFile(
  connection: Connection,
  { reconnect, file, target, mode, signal }: Transfer,
  { url, token, caPem }: Ticket,
): Promise<string | undefined> {
  let current = connection
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { exitCode, stderr } = await current.runAsRoot(
        templateText('fleet/fetch.sh'),
        [target, file.sha256, mode, `${file.size}`, FLEET_DIRECTORY, EXECUTABLE, `${fetchLimit(file.size)}`],
        { stdin: `${url}\n${token}\n${caPem}`, timeout: 0, signal },
      )
      return exitCode === 0 ? undefined : stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`
    } catch (error) {
      if (!(error instanceof ConnectionLost) || attempt === TRIES) throw error
      current = await reconnect()
    }
  }
}

async function partSize(connection: Connection, target: string): Promise<number> {
  const { stdout } = await connection.runAsRoot('stat -c %s "$1.part" 2> /dev/null || echo 0', [target])
  return Number(stdout.trim())
}
