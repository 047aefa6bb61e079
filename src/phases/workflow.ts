/**
 * What a phase is, and how a list of them runs: selected, skipped, resumed. As in kubeadm, phases have names that
 * `--skip-phases` and `init phase NAME` take; "certs" stands for all of "certs/…".
 */

import { createHash } from 'node:crypto'
import type { Host } from '../host/host.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { nearest } from '../output/nearest.ts'
import { phaseFailure } from './failure.ts'
import type { Journal } from './journal.ts'

/** What every phase is given. */
export interface PhaseContext extends Reporting {
  readonly host: Host
  /** Whether the user left a phase out; for phases that stand for several, as kubeadm's "certs". */
  readonly skips: (name: string) => boolean
  /**
   * Whether an earlier run was in this phase when the machine went down: files that it made may be empty, though they are
   * there.
   */
  readonly wasCutOff?: boolean
}

/** What of a phase is typed in `--skip-phases` and `init phase NAME`. */
export interface PhaseName {
  readonly name: string
  /** Names under this one that can be skipped or run on their own: "ca" of "certs/ca". */
  readonly children?: readonly string[]
}

export interface Phase<C extends PhaseContext> extends PhaseName {
  /** What the user reads while it runs. */
  readonly title: string
  /** False, or the reason in words, leaves it out. */
  readonly runIf?: (ctx: C) => boolean | string | Promise<boolean | string>
  /** What its outcome depends on; a rerun repeats the phase when this changed. */
  readonly inputs?: (ctx: C) => unknown
  readonly run: (ctx: C) => Promise<void>
  /** Whether what an earlier run did still stands. Without it a rerun repeats the phase. */
  readonly verify?: (ctx: C) => Promise<boolean>
  /** Changes nothing outside edgeadm's own folder: a run that fails up to here leaves the machine as it was. */
  readonly preliminary?: true
  /** Runs beside the phases after it, and is awaited before the phase of this name. */
  readonly until?: string
}

/**
 * A `verify` for what nobody but edgeadm changes once it is done: the journal's word is enough. It is not for objects of the
 * cluster that others write again, such as kube-proxy, which every upgrade by kubeadm replaces.
 */
export const trustJournal = async (): Promise<boolean> => true

/** Lets a phase run beside the ones after it, up to the phase `until`, which needs it done. */
export function inBackground<C extends PhaseContext>(phase: Phase<C>, until: Phase<C>): Phase<C> {
  return { ...phase, until: until.name }
}

export interface RunOptions<C extends PhaseContext> {
  readonly phases: readonly Phase<C>[]
  /** The context of one phase: its own host, the rest shared. */
  readonly context: (phase: string, skips: (name: string) => boolean) => C
  readonly skip: readonly string[]
  /** Runs this phase alone, journal or not. */
  readonly only?: string
  /** Undefined: every phase runs. */
  readonly journal: Journal | undefined
  readonly reporting: Reporting
  /** Called when a phase has failed: ends what runs beside it. */
  readonly onFailure?: () => void
}

/** Every name that can be typed. */
export function phaseNames(phases: readonly PhaseName[]): string[] {
  return phases.flatMap((phase) => [
    phase.name,
    ...(phase.children ?? []).map((child) => `${phase.name}/${child}`),
  ])
}

/** @throws EdgeadmError class `usage` for a name that no phase has */
export function checkPhaseNames(phases: readonly PhaseName[], names: readonly string[]): void {
  const known = new Set(phaseNames(phases).flatMap((name) => [name, name.split('/')[0] ?? name]))
  for (const name of names) {
    if (known.has(name)) continue
    const meant = nearest(name, known)
    throw new EdgeadmError('usage', `invalid phase name: ${name}`, {
      fix: meant === undefined ? `the phases are: ${[...known].join(', ')}` : `did you mean ${meant}?`,
    })
  }
}

/** Whether `names` name this phase or a group that it is in. */
function isNamed(phase: string, names: readonly string[]): boolean {
  return names.some((name) => phase === name || phase.startsWith(`${name}/`))
}

export async function runPhases<C extends PhaseContext>(options: RunOptions<C>): Promise<void> {
  checkPhaseNames(options.phases, [...options.skip, ...(options.only === undefined ? [] : [options.only])])
  const running = new Map<Phase<C>, Promise<void>>()
  // A failure in the background is met where it is awaited; it must not end the process before.
  const start = (phase: Phase<C>): void => {
    const work = runOne(phase, options)
    work.catch(() => {})
    running.set(phase, work)
  }
  try {
    for (const phase of options.phases) {
      options.reporting.signal.throwIfAborted()
      for (const [other, work] of running) {
        if (other.until !== phase.name) continue
        await work
        running.delete(other)
      }
      if (options.only !== undefined && !isWanted(phase, options.only)) continue
      if (phase.until !== undefined && options.only === undefined) start(phase)
      else await runOne(phase, options)
    }
    for (const work of running.values()) await work
    await options.journal?.settled()
  } catch (error) {
    options.onFailure?.()
    throw error
  } finally {
    await Promise.allSettled([...running.values(), options.journal?.settled()])
  }
}

function isWanted<C extends PhaseContext>(phase: Phase<C>, only: string): boolean {
  return isNamed(phase.name, [only]) || isChild(phase, only)
}

function isChild<C extends PhaseContext>(phase: Phase<C>, name: string): boolean {
  return (phase.children ?? []).some((child) => `${phase.name}/${child}` === name)
}

async function runOne<C extends PhaseContext>(phase: Phase<C>, options: RunOptions<C>): Promise<void> {
  const { emit } = options.reporting
  const background = phase.until !== undefined && options.only === undefined
  const base = {
    type: 'phase',
    phase: phase.name,
    title: phase.title,
    ...(background ? { background } : {}),
  } as const
  // "init phase certs/ca" is the phase "certs" with all its other children left out.
  const skips = (name: string): boolean =>
    isNamed(name, options.skip) ||
    (options.only !== undefined &&
      isChild(phase, options.only) &&
      name.startsWith(`${phase.name}/`) &&
      name !== options.only)
  const wasCutOff = options.journal?.wasCutOff(phase.name) === true
  const ctx = { ...options.context(phase.name, skips), wasCutOff }
  const reason = await reasonToSkip(phase, ctx, options).catch((error: unknown) => {
    throw phaseFailure(phase.name, error, phase.preliminary === true)
  })
  if (reason !== undefined) {
    emit({ ...base, state: 'skipped', reason })
    return
  }
  const started = Date.now()
  emit({ ...base, state: 'started' })
  const inputs = inputsOf(phase, ctx)
  try {
    if (phase.preliminary !== true) await options.journal?.started(phase.name)
    await phase.run(ctx)
    if (options.only === undefined || options.only === phase.name)
      await options.journal?.finished(phase.name, inputs, phase.preliminary)
    emit({ ...base, state: 'done', ms: Date.now() - started })
  } catch (error) {
    emit({ ...base, state: 'failed', reason: messageOf(error), ms: Date.now() - started })
    throw phaseFailure(phase.name, error, phase.preliminary === true)
  }
}

async function reasonToSkip<C extends PhaseContext>(
  phase: Phase<C>,
  ctx: C,
  options: RunOptions<C>,
): Promise<string | undefined> {
  if (isNamed(phase.name, options.skip)) return '--skip-phases'
  const wanted = (await phase.runIf?.(ctx)) ?? true
  if (wanted !== true) return wanted === false ? 'not needed' : wanted
  if (options.journal === undefined || options.only !== undefined || phase.verify === undefined)
    return undefined
  if (!options.journal.hasFinished(phase.name, inputsOf(phase, ctx))) return undefined
  return (await phase.verify(ctx)) ? 'done by an earlier run' : undefined
}

/** Of what the phase depends on, and of the parts that were left out: they are missing when the next run wants them. */
function inputsOf<C extends PhaseContext>(phase: Phase<C>, ctx: C): string {
  const left = (phase.children ?? []).filter((child) => ctx.skips(`${phase.name}/${child}`))
  const inputs = phase.inputs?.(ctx) ?? null
  return createHash('sha256')
    .update(JSON.stringify(left.length === 0 ? inputs : { inputs, left }))
    .digest('hex')
}
