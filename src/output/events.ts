/**
 * A run says everything it has to say as typed events. Renderers (terminal, plain lines, JSON), the log file and later
 * the fleet read only these. With `--output json` each event is one line; `schema` names the version of this file.
 */

import type { ErrorClass } from './errors.ts'

export const EVENT_SCHEMA = 'edgeadm.io/events/v1alpha1'

/** In a run over many hosts: whose event it is. */
interface Origin {
  readonly host?: string
  readonly site?: string
}

export type EventBody = Origin & Body

type Body =
  /** First event: what runs, where, and the phases it will go through, in order. */
  | {
      readonly type: 'run'
      readonly command: string
      readonly version: string
      readonly node: string
      readonly dryRun: boolean
      readonly phases: readonly string[]
    }
  | {
      readonly type: 'phase'
      readonly phase: string
      readonly title: string
      readonly state: 'started' | 'done' | 'skipped' | 'failed'
      /** True for a phase that runs beside the ones after it. */
      readonly background?: boolean
      /** Why it was skipped or what failed. */
      readonly reason?: string
      /** Duration in milliseconds, once it ended. */
      readonly ms?: number
    }
  /** One change to the machine or the cluster, as it is made (or, in a dry run, as it would be made). */
  | {
      readonly type: 'change'
      readonly phase: string
      readonly action: string
      readonly target: string
      /** Unified diff of a text file. */
      readonly diff?: string
    }
  /** Progress of long work; `total` 0 means unknown. */
  | {
      readonly type: 'progress'
      readonly task: string
      readonly done: number
      readonly total: number
      readonly unit: 'bytes' | 'items' | 'percent'
      readonly secondsLeft?: number
    }
  /** A line that a sub-process wrote, or a step worth a line. Shown as it is. */
  | { readonly type: 'output'; readonly text: string }
  | { readonly type: 'warning'; readonly text: string }
  | {
      readonly type: 'error'
      readonly class: ErrorClass
      readonly message: string
      readonly fix?: string
      readonly details: readonly string[]
    }
  /** What the command was asked for; `text` goes to stdout in the text modes, `data` is the same for programs. */
  | { readonly type: 'result'; readonly text: string; readonly data: unknown }

export type Event = EventBody & {
  /** Always {@link EVENT_SCHEMA}. */
  readonly schema: string
  /** RFC 3339, UTC. */
  readonly time: string
}

export type Emit = (event: EventBody) => void

/** What every longer piece of work takes: where to report, and when to stop. */
export interface Reporting {
  readonly emit: Emit
  readonly signal: AbortSignal
}
