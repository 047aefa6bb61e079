/** A command of edgeadm on a host, that a broken connection does not end: started apart from it, and followed. */

import { hostname, userInfo } from 'node:os'
import { EdgeadmError } from '../output/errors.ts'
import type { Event } from '../output/events.ts'
import { templateText } from '../templates.ts'
import { EXECUTABLE, FLEET_DIRECTORY } from './paths.ts'
import { type Connection, withoutControls } from './ssh/connection.ts'
import { ConnectionLost } from './ssh/errors.ts'

export interface HostRun {
  /** `join`, for messages. */
  readonly name: string
  /** Of edgeadm; `--config=CONFIG` stands for the configuration's path. */
  readonly args: readonly string[]
  /** The configuration, secret; the host keeps it as long as the run lasts. */
  readonly config?: string
}

export interface RunOutcome {
  /** `lost`: it ended without one, as after a reboot. */
  readonly exitCode: number | 'lost'
  readonly error: (Event & { readonly type: 'error' }) | undefined
  /** The end of what it wrote on standard error. */
  readonly stderr: string
}

/** Who is at work, for others who find the machine taken. */
export const holder = (): string =>
  `${userInfo().username}@${hostname()}, pid ${process.pid}, since ${new Date().toISOString()}`

/** @throws EdgeadmError class `locked` if a run is under way there */
export async function startRun(connection: Connection, label: string, run: HostRun): Promise<void> {
  const result = await connection.runAsRoot(
    templateText('fleet/start.sh'),
    [FLEET_DIRECTORY, holder(), run.name, EXECUTABLE, ...run.args, '--output=json'],
    { stdin: run.config ?? '' },
  )
  if (result.exitCode === 0) return
  if (result.exitCode === 75)
    throw new EdgeadmError('locked', `${label}: another run holds it: ${result.stderr.trim()}`)
  throw new EdgeadmError(
    'phase',
    `${label}: edgeadm could not be started: ${result.stderr.trim().split('\n').at(-1)}`,
  )
}

/**
 * Follows the run that is under way, or was. When the connection breaks, another one is asked for, and the lines that came
 * already are not repeated.
 * @param reconnect makes a connection anew; rejects if the host is out of reach
 */
export async function followRun(
  connection: Connection,
  reconnect: () => Promise<Connection>,
  onEvent: (event: Event) => void,
  signal: AbortSignal,
): Promise<RunOutcome> {
  let current = connection
  let lines = 0
  let error: RunOutcome['error']
  let end: string | undefined
  const take = (line: string): void => {
    end = /^exit (\w+)$/.exec(line)?.[1]
    if (end !== undefined) return
    lines += 1
    const event = parseEvent(line)
    if (event === undefined) return
    if (event.type === 'error') error = event
    onEvent(event)
  }
  for (;;) {
    try {
      const { stderr } = await current.runAsRoot(
        templateText('fleet/follow.sh'),
        [FLEET_DIRECTORY, String(lines + 1)],
        { onLine: take, timeout: 0, signal },
      )
      const exitCode = end !== undefined && /^\d+$/.test(end) ? Number(end) : 'lost'
      return { exitCode, error, stderr }
    } catch (lost) {
      if (!(lost instanceof ConnectionLost)) throw lost
      current = await reconnect()
    }
  }
}

/** A line of a host's edgeadm; undefined: it is another program's. */
export function parseEvent(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line, (_key, value: unknown) =>
      typeof value === 'string' ? withoutControls(value) : value,
    ) as Event
  } catch {
    return undefined
  }
}
