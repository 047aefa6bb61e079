import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runningTasks, startOf } from '../../../../src/phases/edge/mesh/renew.ts'

test('when a process started', () => {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  const started = startOf(readFileSync('/proc/self/stat', 'utf8')) ?? Number.NaN
  // 100 ticks a second on every Linux that edgeadm runs on.
  expect(uptime - started / 100).toBeCloseTo(process.uptime(), -1)
  expect(startOf(`7 (a) b (c) S ${Array.from({ length: 19 }, (_, index) => index).join(' ')} 99 0`)).toBe(18)
  expect(startOf(undefined)).toBeUndefined()
})

test('containers that run', () =>
  expect(runningTasks('TASK    PID    STATUS    \nabc     77     RUNNING\ndef     78     STOPPED\n')).toEqual(
    [{ id: 'abc', pid: 77 }],
  ))
