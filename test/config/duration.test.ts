import { expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../src/config/duration.ts'

it.each([
  ['24h0m0s', 86_400_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['300ms', 300],
  ['0', 0],
  ['0s', 0],
  ['.5s', 500],
  ['-2m', -120_000],
])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds))

it.each(['', '24', '1d', 'h', '1h 30m', '--1h', '1hour', '5 s', '8521363h'])('"%s" is no duration', (text) =>
  expect(parseDuration(text)).toBeUndefined(),
)

it.each([
  [86_400_000, '24h0m0s'],
  [120_000, '2m0s'],
  [1500, '1.5s'],
  [0, '0s'],
])('%d ms is printed as Go does: %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text))
