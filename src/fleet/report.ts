/** What a run over many hosts says: to people, to programs, and to a folder with a file per host. */

import { appendFileSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { EdgeadmError } from '../output/errors.ts'
import type { Event, EventBody, Reporting } from '../output/events.ts'
import { table } from '../output/table.ts'
import type { FleetHost } from './inventory.ts'

export type HostState = 'unchanged' | 'done' | 'failed' | 'unreachable' | 'skipped'

export interface HostOutcome {
  readonly host: FleetHost
  readonly state: HostState
  /** What was done, or why not. */
  readonly text: string
  /** Milliseconds. */
  readonly ms: number
}

export interface ReportOptions {
  readonly reporting: Reporting
  /** Whether a program reads: then the hosts' own events come through. */
  readonly json: boolean
  readonly hosts: readonly FleetHost[]
  /** Where the files go; undefined: nowhere. */
  readonly folder?: string
}

/** More hosts than this are counted and not listed. */
const ROWS = 20

export class FleetReport {
  readonly folder: string | undefined
  readonly #options: ReportOptions
  readonly #outcomes = new Map<string, HostOutcome>()
  readonly #begun = new Map<string, { readonly title: string; readonly at: number }>()

  constructor(options: ReportOptions) {
    this.#options = options
    this.folder = options.folder
    if (options.folder !== undefined) mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  }

  get outcomes(): readonly HostOutcome[] {
    return this.#options.hosts.flatMap(({ name }) => this.#outcomes.get(name) ?? [])
  }

  /** A sentence of the run itself. */
  say(text: string): void {
    this.#emit({ type: 'output', text })
  }

  warn(text: string): void {
    this.#emit({ type: 'warning', text })
  }

  /** Work on a host begins. @param title completes "worker-1: …" */
  begin(host: FleetHost, title: string): void {
    this.#begun.set(host.name, { title, at: Date.now() })
    this.#write(host, { type: 'output', text: title })
    if (this.#isListed) this.#phase(host, title, 'started')
  }

  /** What the host's own edgeadm says. Its result stays there: it may hold a token. */
  hostEvent(host: FleetHost, event: Event): void {
    if (event.type === 'result') return
    if (event.type !== 'progress') this.#write(host, event)
    if (this.#options.json) this.#emit({ ...event, ...origin(host) } as EventBody)
    else if (event.type === 'warning') this.warn(`${host.name}: ${event.text}`)
  }

  end(host: FleetHost, state: HostState, text: string): void {
    const begun = this.#begun.get(host.name)
    const ms = begun === undefined ? 0 : Date.now() - begun.at
    this.#begun.delete(host.name)
    this.#outcomes.set(host.name, { host, state, text, ms })
    this.#write(host, { type: 'output', text: `${state}: ${text}` })
    if (begun !== undefined && this.#isListed)
      this.#phase(host, begun.title, state === 'done' ? 'done' : 'failed', ms, text)
    if (begun !== undefined && !this.#isListed) this.#count()
    if (state === 'failed' || state === 'unreachable') this.warn(`${host.name}: ${state}: ${text}`)
  }

  /** A host that failed, with all that its error says in its file. */
  fail(host: FleetHost, error: EdgeadmError): void {
    const { message, fix, details } = error
    for (const text of [...details, ...(fix === undefined ? [] : [fix])])
      this.#write(host, { type: 'output', text })
    this.end(host, 'failed', `${message.replace(`${host.name}: `, '')}${fix === undefined ? '' : `; ${fix}`}`)
  }

  table(): string {
    const rows = this.outcomes.map(({ host, state, text, ms }) => [
      host.name,
      host.role,
      host.site ?? '-',
      state,
      ms === 0 ? '' : `${(ms / 1000).toFixed(1)} s`,
      state === 'done' || state === 'unchanged' ? '' : text,
    ])
    return table([['HOST', 'ROLE', 'SITE', 'STATE', 'TIME', ''], ...rows]).join('\n')
  }

  get #isListed(): boolean {
    return this.#options.json || this.#options.hosts.length <= ROWS
  }

  #phase(
    host: FleetHost,
    title: string,
    state: 'started' | 'done' | 'failed',
    ms?: number,
    reason?: string,
  ): void {
    this.#emit({
      type: 'phase',
      phase: host.name,
      title: `${host.name}: ${title}`,
      state,
      background: true,
      ...(ms === undefined ? {} : { ms }),
      ...(state === 'failed' && reason !== undefined ? { reason } : {}),
      ...origin(host),
    })
  }

  #count(): void {
    const { hosts } = this.#options
    this.#emit({
      type: 'progress',
      task: 'hosts',
      done: this.#outcomes.size,
      total: hosts.length,
      unit: 'items',
    })
  }

  #write(host: FleetHost, event: EventBody | Event): void {
    if (this.folder === undefined) return
    const line = JSON.stringify({ time: new Date().toISOString(), ...event })
    appendFileSync(join(this.folder, `${host.name}.ndjson`), `${line}\n`, { mode: 0o600 })
  }

  #emit(event: EventBody): void {
    this.#options.reporting.emit(event)
  }
}

/** Where a run's files go: ~/.cache/edgeadm/runs/TIME. */
export function runFolder(now: Date = new Date()): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'edgeadm', 'runs', now.toISOString().replaceAll(/[-:]|\.\d+/g, ''))
}

const origin = ({ name, site }: FleetHost) => ({ host: name, ...(site === undefined ? {} : { site }) })
