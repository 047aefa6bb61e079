/** Booted machines for tests: made before them, removed after them, also after tests that were killed. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { waitForLock } from '../../src/host/flock.ts'
import {
  type CommandOptions,
  type CommandResult,
  createLab,
  deleteLab,
  type LabState,
  labNames,
  probeInMachine,
  runInMachine,
} from '../../src/lab/index.ts'
import { identify, isAlive } from '../../src/lab/processes.ts'
import { readLabIfComplete } from '../../src/lab/state.ts'
import { EdgeadmError } from '../../src/output/errors.ts'
import type { Reporting } from '../../src/output/events.ts'
import { collectLogs } from './collect-logs.ts'

export interface UseLabOptions {
  readonly masters?: number
  readonly workers?: number
  readonly edges?: number
  /** Put into the machines: the executable as /usr/local/bin/edgeadm, the package under /root. */
  readonly executable?: string
  readonly package?: string
  readonly resolver?: 'none' | 'silent'
  /** Runs once after the boot; the logs are collected if it fails. */
  readonly prepare?: (lab: TestLab) => Promise<void>
}

export interface TestLab {
  readonly name: string
  /** Resolves with any exit code. */
  probe(machine: string, command: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** Resolves with standard output; rejects unless the command exits with 0. */
  run(machine: string, command: readonly string[], options?: CommandOptions): Promise<string>
}

export const reporting: Reporting = { emit: () => {}, signal: new AbortController().signal }

/** How many of a failed command's last lines a test's error shows. */
const OUTPUT_LINES = 8
const LEFTOVERS_LOCK = join(tmpdir(), 'edgeadm-test-leftovers.lock')

/** Names of labs made by this process and not yet removed. */
const own = new Set<string>()
let count = 0

/** The process number tells a later run whose lab it is, even if its creation was cut short. */
export function uniqueLabName(): string {
  count += 1
  return `test-${process.pid}-${count}`
}

/** To be called in a describe block or at the top of a file; the machines are there in its tests. */
export function useLab(options: UseLabOptions): TestLab {
  const name = uniqueLabName()
  const lab: TestLab = {
    name,
    probe: (machine, command, others) => probeInMachine(name, machine, command, others),
    run: (machine, command, others) => runInMachine(name, machine, command, others).catch(withOutput),
  }
  beforeAll(async () => {
    await deleteLeftovers()
    await createTestLab(name, options)
    try {
      await options.prepare?.(lab)
    } catch (error) {
      throw await withLogs(error, name, 'prepare')
    }
  })
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    const directory = await collectLogs(name, task.name)
    for (const error of task.result.errors ?? []) error.message += `\nThe machines' logs: ${directory}`
  })
  afterAll(() => deleteTestLab(name))
  return lab
}

export async function createTestLab(name: string, options: UseLabOptions): Promise<LabState> {
  const { prepare: _, ...others } = options
  const owner = await identify(process.pid)
  own.add(name)
  return createLab({ name, masters: 0, workers: 0, edges: 0, ...others, ...(owner && { owner }) }, reporting)
}

export async function deleteTestLab(name: string): Promise<void> {
  own.delete(name)
  if ((await labNames()).includes(name)) await deleteLab(name, reporting)
}

/** What the command said stands in the message: vitest's report shows nothing else of an error. */
function withOutput(error: unknown): never {
  if (!(error instanceof EdgeadmError)) throw error
  throw new Error([error.message, ...error.details.slice(-OUTPUT_LINES)].join('\n'), { cause: error })
}

async function withLogs(error: unknown, lab: string, test: string): Promise<Error> {
  const directory = await collectLogs(lab, test)
  const message = error instanceof Error ? error.message : String(error)
  return new Error(`${message}\nThe machines' logs: ${directory}`, { cause: error })
}

/** Labs of test runs that were killed before they could remove them. Test files start side by side: one deletes, the others wait. */
async function deleteLeftovers(): Promise<void> {
  const lock = await waitForLock(LEFTOVERS_LOCK, reporting.signal, () => {})
  try {
    for (const name of await labNames()) {
      const pid = /^test-(\d+)-\d+$/.exec(name)?.[1]
      if (pid === undefined) continue
      const owner = (await readLabIfComplete(name))?.owner ?? (await identify(Number(pid)))
      if (!owner || !(await isAlive(owner))) await deleteTestLab(name)
    }
  } finally {
    await lock.release()
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.allSettled([...own].map(deleteTestLab)).then(() => process.exit(130))
  })
