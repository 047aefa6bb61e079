import { describe, expect, test } from 'vitest'
import { render } from '../../src/templates.ts'

/** What systemd makes of a unit: its settings, one a line. */
const settings = (text: string) => text.split('\n').filter((line) => /^[A-Z]/.test(line))

describe('units of a timer', () => {
  const task = {
    title: 'A task',
    command: '/usr/local/bin/edgeadm backup create --keep 7',
    calendar: 'daily',
    delay: '15min',
  }

  test('each setting of the service has a line of its own', () => {
    expect(settings(render('timer/task.service', task))).toEqual([
      'Description=A task',
      'Type=oneshot',
      'Nice=10',
      'ExecStart=/usr/local/bin/edgeadm backup create --keep 7',
    ])
  })

  test('so has each of the timer', () => {
    expect(settings(render('timer/task.timer', task))).toEqual([
      'Description=A task',
      'Persistent=true',
      'OnCalendar=daily',
      'RandomizedDelaySec=15min',
      'WantedBy=timers.target',
    ])
  })
})
