/** Timers of systemd that run edgeadm again: `backup timer`, `status timer`. On record, so that reset removes them. */

import { hostname } from 'node:os'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { lockMachine } from '../host/lock.ts'
import { ownExecutable } from '../host/own-executable.ts'
import { recordedHost } from '../host/recorded.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { render } from '../templates.ts'
import { requireLinuxRoot } from './prerequisites.ts'

export interface Task {
  /** Of the units: `edgeadm-backup`. */
  readonly unit: string
  readonly title: string
  /** Of edgeadm; no secrets. */
  readonly args: readonly string[]
  /** systemd.time(7): `daily`, `*:0/5`. */
  readonly calendar: string
  /** systemd.time(7): how much later it may run, so that masters do not run it at once. */
  readonly delay: string
}

const UNITS = '/etc/systemd/system'

/** @throws EdgeadmError class `usage` for a calendar that systemd does not know, or a word that no unit file can hold */
export async function setTimer(task: Task, remove: boolean, reporting: Reporting): Promise<void> {
  requireLinuxRoot(task.args.join(' '), false)
  const machine = new LocalMachine(reporting.signal)
  const timer = `${task.unit}.timer`
  const known = await machine.execute('systemd-analyze', ['calendar', task.calendar])
  if (known.exitCode !== 0 && known.exitCode !== 127)
    throw new EdgeadmError('usage', `--calendar ${task.calendar}: systemd knows no such time`, {
      fix: 'such as daily, 03:30, Mon..Fri 22:00: systemd.time(7)',
    })
  const words = [...ownExecutable(), ...task.args]
  const wrong = words.find((word) => !/^[\w@+=:,./-]+$/.test(word))
  if (wrong !== undefined)
    throw new EdgeadmError(
      'usage',
      `"${wrong}" cannot be put into a unit file: letters, digits and @+=:,./- can`,
    )
  const unlock = await lockMachine(`${task.unit} timer`)
  try {
    const host = recordedHost(machine, new Ledger(), task.unit, reporting.emit)
    if (remove) {
      if ((await host.stat(`${UNITS}/${timer}`)) !== undefined)
        await host.service(timer, { enabled: false, active: false })
      for (const path of [`${UNITS}/${timer}`, `${UNITS}/${task.unit}.service`]) await host.remove(path)
    } else {
      const data = { ...task, command: words.join(' ') }
      await host.writeFile(`${UNITS}/${task.unit}.service`, render('timer/task.service', data))
      await host.writeFile(`${UNITS}/${timer}`, render('timer/task.timer', data))
      await host.service(timer, { enabled: true, active: true, restart: true })
    }
  } finally {
    await unlock()
  }
  reporting.emit({
    type: 'result',
    text: remove
      ? `${timer} is gone.`
      : `${timer} runs on ${hostname()}: ${task.calendar}. \`systemctl list-timers ${timer}\` shows when, \`journalctl -u ${task.unit}\` what it said.`,
    data: { unit: timer, active: !remove },
  })
}
