import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EVENT_SCHEMA, type EventBody } from '../../src/output/events.ts'
import { LogFile } from '../../src/output/log-file.ts'

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'edgeadm-log-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

const run = (dryRun: boolean, command = 'init'): EventBody => ({
  type: 'run',
  command,
  version: '0.1.0',
  node: 'm1',
  dryRun,
  phases: [],
})
const change: EventBody = { type: 'change', phase: 'node/sysctl', action: 'create', target: '/etc/x' }

function feed(...events: EventBody[]): LogFile {
  const log = new LogFile(join(parent, 'edgeadm'))
  for (const event of events) log.handle({ schema: EVENT_SCHEMA, time: '2026-01-02T03:04:05.678Z', ...event })
  return log
}

test('a run that changes nothing, and a dry run, leave none', () => {
  expect(feed(run(false), { type: 'output', text: 'looking' }).path).toBeUndefined()
  expect(feed(run(true), change).path).toBeUndefined()
  expect(existsSync(join(parent, 'edgeadm'))).toBe(false)
})

test('with the first change it has everything from the beginning, without results, for root alone', () => {
  const { path } = feed(run(false), { type: 'output', text: 'looking' }, change, {
    type: 'result',
    text: 'edgeadm join --token abcdef.0123456789abcdef',
    data: {},
  })
  expect(path).toBe(join(parent, 'edgeadm/init-20260102T030405Z.log'))
  const text = readFileSync(path ?? '', 'utf8')
  const types = text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type)
  expect(types).toEqual(['run', 'output', 'change'])
  expect(statSync(path ?? '').mode & 0o777).toBe(0o600)
})

test('a single phase has a log, too: its name makes no folders', () =>
  expect(feed(run(false, 'init phase edge/certificates'), change).path).toBe(
    join(parent, 'edgeadm/init-phase-edge-certificates-20260102T030405Z.log'),
  ))

test('a place that cannot be written ends the log and not the run: one warning', () => {
  writeFileSync(join(parent, 'edgeadm'), 'a file')
  const warnings: string[] = []
  const log = new LogFile(join(parent, 'edgeadm'), (text) => warnings.push(text))
  for (const event of [run(false), change, change, { type: 'output', text: 'x' } as const])
    log.handle({ schema: EVENT_SCHEMA, time: '2026-01-02T03:04:05.678Z', ...event })
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/init-20260102T030405Z\.log cannot be written, .*(EEXIST|ENOTDIR)/)
  expect(log.path).toBeUndefined()
})
