/** A machine's power switch: on until it has booted, off like a power cut. */

import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { until } from './await.ts'
import { destroyCgroups, findCgroups, systemdRuns, thaw } from './cgroups.ts'
import { probe, tail } from './command.ts'
import { writeBaseline } from './diff.ts'
import { probeInMachine } from './exec.ts'
import { prepareHost } from './host-state.ts'
import { launch } from './launch.ts'
import { ensureNetwork, removePort } from './network.ts'
import { cgroupName, machinePaths } from './paths.ts'
import { isAlive, killNow, type ProcessIdentity } from './processes.ts'
import { runningMachine, supervisorOf } from './running.ts'
import { type LabState, machineOf, readLab } from './state.ts'

/** Milliseconds for a boot, which takes about five seconds on an idle host. */
const BOOT_LIMIT = 180_000

/** Milliseconds for the end of a machine whose first process was killed; processes in disk I/O end after it. */
const KILL_LIMIT = 60_000

/** Boots a machine and waits until its services are up. @throws {EdgeadmError} class `preflight` if it runs already */
export async function startMachine(lab: string, name: string, reporting: Reporting): Promise<void> {
  const state = await readLab(lab)
  const machine = machineOf(state, name)
  if (await supervisorOf(lab, name))
    throw new EdgeadmError('preflight', `the machine ${name} of lab ${lab} is running already`)
  await prepareHost(reporting) // a reboot of the host took its settings and the network
  await ensureNetwork(lab, reporting.signal)
  await bootMachine(state, machine.name, reporting)
}

/** Boots a machine of a lab whose network is there. */
export async function bootMachine(lab: LabState, machine: string, reporting: Reporting): Promise<void> {
  await clearRemains(lab.name, machine)
  const supervisor = await launch(lab, machine)
  await awaitBoot(lab.name, machine, supervisor, reporting)
  await writeBaseline(lab, machine)
}

async function awaitBoot(
  lab: string,
  machine: string,
  supervisor: ProcessIdentity,
  { emit, signal }: Reporting,
): Promise<void> {
  const what = `the boot of machine ${machine}`
  const systemd = await until(
    what,
    BOOT_LIMIT,
    async () => {
      if (!(await isAlive(supervisor))) throw await bootFailure(lab, machine)
      const running = await runningMachine(lab, machine)
      // Its manager listens here once it takes questions.
      return running && existsSync(`/proc/${running.leader}/root/run/systemd/private`) ? running : undefined
    },
    signal,
  )
  const state = await probeInMachine(lab, machine, ['systemctl', 'is-system-running', '--wait'], {
    signal,
    timeout: BOOT_LIMIT,
  })
  if (!(await isAlive(systemd.supervisor))) throw await bootFailure(lab, machine)
  if (state.stdout.trim() === 'running') return
  const failed = await probeInMachine(lab, machine, ['systemctl', '--failed', '--plain', '--no-legend'])
  if (state.stdout.trim() !== 'degraded')
    throw new EdgeadmError('phase', `the machine ${machine} booted into the state "${state.stdout.trim()}"`, {
      details: tail(`${state.stderr}\n${failed.stdout}`),
    })
  emit({ type: 'warning', text: `${machine} booted with failed units: ${failed.stdout.trim()}` })
}

async function bootFailure(lab: string, machine: string): Promise<EdgeadmError> {
  const { console: file } = machinePaths(lab, machine)
  const details = existsSync(file) ? tail(await readFile(file, 'utf8')) : []
  return new EdgeadmError('phase', `the machine ${machine} ended while it booted`, { details })
}

/** Cuts the power: every process of the machine ends at once, the disk stays. @throws {EdgeadmError} class `preflight` if it is off */
export async function killMachine(lab: string, name: string): Promise<void> {
  const machine = machineOf(await readLab(lab), name)
  if (!(await supervisorOf(lab, machine.name)))
    throw new EdgeadmError('preflight', `the machine ${name} of lab ${lab} is off already`)
  await powerOff(lab, machine.name)
}

/** Ends whatever is left of a machine; nothing to do is fine. */
export async function powerOff(lab: string, machine: string): Promise<void> {
  const running = await runningMachine(lab, machine)
  if (running) {
    // The kernel ends all processes of the namespace with its first one, and systemd-nspawn ends after that one.
    killNow(running.leader)
    const groups = await findCgroups(lab, machine)
    await until(`the end of machine ${machine}`, KILL_LIMIT, async () => {
      await thaw(groups)
      return (await isAlive(running.supervisor)) ? undefined : true
    })
  }
  await clearRemains(lab, machine)
  await rm(machinePaths(lab, machine).process, { force: true })
}

/** A leftover cable or control group would keep a killed machine from booting again. */
async function clearRemains(lab: string, machine: string): Promise<void> {
  await destroyCgroups(await findCgroups(lab, machine))
  if (systemdRuns()) {
    const unit = `${cgroupName(lab, machine)}.service`
    await probe('systemctl', ['stop', unit])
    await probe('systemctl', ['reset-failed', unit])
  }
  await removePort(lab, machine)
}
