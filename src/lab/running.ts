/** The processes of a running machine. */

import { readFile } from 'node:fs/promises'
import { EdgeadmError } from '../output/errors.ts'
import { machinePaths } from './paths.ts'
import { childrenOf, isAlive, isNamespaceInit, type ProcessIdentity } from './processes.ts'

export interface RunningMachine {
  /** The systemd-nspawn process. */
  readonly supervisor: ProcessIdentity
  /** The machine's process number 1, as this host numbers it. */
  readonly leader: number
}

/** The systemd-nspawn process of a machine; undefined if it does not run. */
export async function supervisorOf(lab: string, machine: string): Promise<ProcessIdentity | undefined> {
  let identity: ProcessIdentity
  try {
    identity = JSON.parse(await readFile(machinePaths(lab, machine).process, 'utf8')) as ProcessIdentity
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return (await isAlive(identity)) ? identity : undefined
}

/** Undefined while there is no process number 1, which is also so at the beginning of a boot. */
export async function runningMachine(lab: string, machine: string): Promise<RunningMachine | undefined> {
  const supervisor = await supervisorOf(lab, machine)
  if (!supervisor) return undefined
  for (const leader of await childrenOf(supervisor.pid))
    if (await isNamespaceInit(leader)) return { supervisor, leader }
  return undefined
}

/** @throws {EdgeadmError} class `preflight` if the machine does not run; nothing is ever run on the host instead */
export async function requireRunning(lab: string, machine: string): Promise<RunningMachine> {
  const running = await runningMachine(lab, machine)
  if (running) return running
  throw new EdgeadmError('preflight', `the machine ${machine} of lab ${lab} is not running`, {
    fix: `edgeadm lab start --lab ${lab} ${machine}`,
  })
}
