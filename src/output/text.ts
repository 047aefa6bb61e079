/** Words shared by the text renderers and the log file. */

import type { Event } from './events.ts'

/** 1234 -> "1.2s"; under a tenth of a second nothing is worth saying. */
export function duration(ms: number): string {
  if (ms < 100) return ''
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  return `${Math.floor(ms / 60_000)}m${Math.round((ms % 60_000) / 1000)}s`
}

/** 1536 -> "1.5 KiB". */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`
}

export function progressText(event: Event & { type: 'progress' }): string {
  const { secondsLeft } = event
  const left =
    secondsLeft === undefined
      ? ''
      : `, about ${secondsLeft < 90 ? `${secondsLeft} s` : `${Math.round(secondsLeft / 60)} min`} left`
  if (event.unit === 'percent') return `${event.task}: ${event.done}%${left}`
  const amount = (value: number): string => (event.unit === 'bytes' ? bytes(value) : String(value))
  if (event.total === 0) return `${event.task}: ${amount(event.done)}`
  const percent = Math.floor((100 * event.done) / event.total)
  return `${event.task}: ${amount(event.done)} of ${amount(event.total)} (${percent}%)`
}

/** kubeadm's shape of an error: "error: …", its details indented, then what to do. */
export function errorLines(event: Event & { type: 'error' }): string[] {
  const lines = [`error: ${event.message}`, ...event.details.map((detail) => `\t${detail}`)]
  if (event.fix !== undefined) lines.push(`To fix it: ${event.fix}`)
  return lines
}
