/** How a command is struck: SIGKILL in each of its phases, SIGKILL at random moments, SIGSTOP for a minute. */

import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError, messageOf } from '../../src/output/errors.ts'
import { type RunResult, runEdgeadm } from '../lab/edgeadm-run.ts'
import type { TestLab } from '../lab/machines.ts'
import type { Row, Step } from './scenarios.ts'

type Result = Omit<Row, 'scenario' | 'command'>

const KILLED = 137
/** Milliseconds that a process stands still. */
const PAUSE = 60_000
/** Milliseconds at most until a random kill: longer than the longest phase, so that each comes through some time. */
const LONGEST = 20_000
/** How many phases a run has begun in its middle. */
const MIDDLE = 15

/**
 * Runs the command again and again, each time killed in the next phase that it starts; the last run is left alone. A row for
 * each phase: whether the run after it came further.
 */
export async function killInEachPhase(lab: TestLab, step: Step): Promise<Result[]> {
  const rows: Result[] = []
  const struck = new Set<string>()
  for (;;) {
    let target: string | undefined
    const result = await runEdgeadm(lab, step.machine, step.command, {
      onPhase: (phase) => {
        if (target !== undefined || struck.has(phase)) return
        target = phase
        struck.add(phase)
        // Without waiting for it: the phase goes on until the signal is there.
        void kill(lab, step.machine)
      },
    })
    const previous = rows.at(-1)
    if (result.exitCode === KILLED && target !== undefined) {
      rows.push({ where: target, strikes: 1, failed: undefined })
      continue
    }
    const failed = await wrong(result, step)
    // The signal came when the last phase had ended.
    if (target !== undefined) rows.push({ where: target, strikes: 1, failed })
    else if (failed !== undefined && previous !== undefined) rows[rows.length - 1] = { ...previous, failed }
    return rows
  }
}

/** Back to a bare machine and through the command again, each killed at random moments until it ends by itself, until there were enough. */
export async function killAtRandom(lab: TestLab, step: Step, times: number): Promise<Result> {
  let strikes = 0
  const through = async (one: Step): Promise<string | undefined> => {
    for (;;) {
      const running = runEdgeadm(lab, one.machine, one.command)
      if (strikes < times) {
        await Promise.race([running, delay(Math.random() * LONGEST)])
        await kill(lab, one.machine)
      }
      const result = await running
      if (result.exitCode !== KILLED) return wrong(result, one)
      strikes += 1
    }
  }
  let failed: string | undefined
  while (strikes < times && failed === undefined)
    failed = (await throughReset(step, through)) ?? (await through(step))
  return { where: 'random moments of reset and of it', strikes, failed }
}

/** What is wrong with the end of the command when nobody strikes it. */
export async function undisturbed(lab: TestLab, step: Step): Promise<string | undefined> {
  return wrong(await runEdgeadm(lab, step.machine, step.command), step)
}

/** Stands still for a minute in the middle of the command on a bare machine, as a virtual machine that is paused. */
export async function stopInTheMiddle(lab: TestLab, step: Step): Promise<Result> {
  const failed = await throughReset(step, (one) => undisturbed(lab, one))
  if (failed !== undefined) return { where: 'reset', strikes: 0, failed }
  let phases = 0
  let stopped: Promise<unknown> | undefined
  const result = await runEdgeadm(lab, step.machine, step.command, {
    wrapper: underShell(step.machine),
    onPhase: () => {
      phases += 1
      if (phases < MIDDLE) return
      stopped ??= signal(lab, step.machine, 'STOP')
        .then(() => delay(PAUSE))
        .then(() => signal(lab, step.machine, 'CONT'))
    },
  })
  await stopped
  return {
    where: `stopped for ${PAUSE / 1000} s`,
    strikes: stopped === undefined ? 0 : 1,
    failed: await wrong(result, step),
  }
}

async function throughReset(
  step: Step,
  through: (step: Step) => Promise<string | undefined>,
): Promise<string | undefined> {
  const failed = step.back === undefined ? 'it has no way back' : await through(step.back)
  if (failed !== undefined) return failed
  try {
    await step.beforeAgain?.()
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

const pidFile = (machine: string): string => `/run/test-${machine}.pid`

/**
 * A shell between nsenter, which leads into the machine, and edgeadm: nsenter stops with its own child, and would have to be
 * continued as well (util-linux, sys-utils/nsenter.c, continue_as_child).
 */
function underShell(machine: string): string[] {
  const inner = `echo $$ >${pidFile(machine)}; exec "$@"`
  return ['sh', '-c', `sh -c '${inner}' run "$@"; exit $?`, 'run']
}

const kill = (lab: TestLab, machine: string) => signal(lab, machine, 'KILL')

/** To the process that runEdgeadm started; 1: it has ended already. */
async function signal(lab: TestLab, machine: string, name: string): Promise<void> {
  await lab.probe(machine, ['sh', '-c', `kill -${name} "$(cat ${pidFile(machine)})"`])
}

async function wrong(result: RunResult, step: Step): Promise<string | undefined> {
  if (result.exitCode !== 0)
    return `exit code ${result.exitCode}: ${[result.error?.message, ...(result.error?.details ?? [])].join('; ')}`
  try {
    await step.check()
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof EdgeadmError ? [error.message, ...error.details].join('; ') : messageOf(error)
}
