/** edgeadm in a machine, as a test watches it: its events as they come, and a signal at a chosen moment. */

import type { Event } from '../../src/output/events.ts'
import type { TestLab } from './machines.ts'

export interface RunResult {
  readonly exitCode: number
  readonly events: readonly Event[]
  /** The error event, if the run failed by itself. */
  readonly error: (Event & { type: 'error' }) | undefined
}

export interface RunOptions {
  /** Sent when the phase has started. */
  readonly signal?: { readonly name: 'KILL' | 'INT' | 'TERM' | 'HUP'; readonly phase: string }
  /** Called when a phase has started. */
  readonly onPhase?: (phase: string) => void
  /** A program that runs edgeadm, with its arguments: `env -i`. */
  readonly wrapper?: readonly string[]
}

/** Runs `edgeadm …args --output=json` and resolves with any exit code (137: killed). */
export async function runEdgeadm(
  lab: TestLab,
  machine: string,
  args: readonly string[],
  { signal, onPhase, wrapper = [] }: RunOptions = {},
): Promise<RunResult> {
  const events: Event[] = []
  let killed: Promise<unknown> | undefined
  const pidFile = `/run/test-${machine}.pid`
  const result = await lab.probe(
    machine,
    ['sh', '-c', `echo $$ >${pidFile}; exec "$@"`, 'run', ...wrapper, 'edgeadm', ...args, '--output=json'],
    {
      onLine: (line) => {
        const event = parse(line)
        if (event === undefined) return
        events.push(event)
        if (event.type !== 'phase' || event.state !== 'started') return
        onPhase?.(event.phase)
        if (event.phase === signal?.phase)
          killed ??= lab.run(machine, ['sh', '-c', `kill -${signal.name} $(cat ${pidFile})`])
      },
    },
  )
  await killed
  if (signal !== undefined && killed === undefined)
    throw new Error(`phase ${signal.phase} never started: ${JSON.stringify(events.at(-1))}`)
  return { exitCode: result.exitCode, events, error: events.findLast((event) => event.type === 'error') }
}

/** The phases that a run really ran, in the order of their ends. */
export function phasesDone({ events }: RunResult): string[] {
  return events.flatMap((event) => (event.type === 'phase' && event.state === 'done' ? [event.phase] : []))
}

function parse(line: string): Event | undefined {
  try {
    return JSON.parse(line) as Event
  } catch {
    return undefined // a line of another program
  }
}

/** Milliseconds that a phase took until it was done or failed. */
export function durationOf({ events }: RunResult, phase: string): number {
  const end = events.find(
    (event) =>
      event.type === 'phase' && event.phase === phase && (event.state === 'done' || event.state === 'failed'),
  )
  return end?.type === 'phase' ? (end.ms ?? Number.NaN) : Number.NaN
}
