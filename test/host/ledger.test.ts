import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Ledger } from '../../src/host/ledger.ts'

let directory: string
let ledger: Ledger

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'edgeadm-ledger-')), 'state')
  ledger = new Ledger(directory)
})
afterEach(async () => rm(join(directory, '..'), { recursive: true }))

const again = (): Ledger => new Ledger(directory)
const record = (path: string): Promise<void> =>
  ledger.record('test', { kind: 'file', path, before: { type: 'absent' } })
const pathsOf = async (of: Ledger): Promise<unknown[]> =>
  (await of.entries()).map((entry) => ('path' in entry ? entry.path : undefined))

test('is empty where edgeadm never was, and asking leaves nothing', async () => {
  expect(await ledger.entries()).toEqual([])
  expect(await ledger.hasRecord('/etc/x')).toBe(false)
  await expect(stat(directory)).rejects.toThrow('ENOENT')
})

test('keeps entries in order, for root alone, and knows what is on record', async () => {
  await record('/etc/a')
  await record('/etc/b')
  expect(await pathsOf(again())).toEqual(['/etc/a', '/etc/b'])
  expect(await again().hasRecord('/etc/a')).toBe(true)
  expect(await again().hasRecord('/etc')).toBe(false)
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  expect((await stat(join(directory, 'ledger.ndjson'))).mode & 0o777).toBe(0o600)
})

test('forgets what was taken back, and records it anew', async () => {
  await record('/etc/a')
  await record('/etc/b')
  const [first] = await ledger.entries()
  await ledger.markUndone(first?.id ?? '')
  expect(await pathsOf(again())).toEqual(['/etc/b'])
  expect(await ledger.hasRecord('/etc/a')).toBe(false)
  expect((await again().history()).length).toBe(2)
  await record('/etc/a')
  expect(await pathsOf(again())).toEqual(['/etc/b', '/etc/a'])
})

test('a line that a power cut tore is none, and the next one is whole', async () => {
  await record('/etc/a')
  const text = await readFile(join(directory, 'ledger.ndjson'), 'utf8')
  await appendFile(join(directory, 'ledger.ndjson'), text.trim().slice(0, 40))
  await record('/etc/b')
  expect(await pathsOf(again())).toEqual(['/etc/a', '/etc/b'])
})

test('keeps contents, and what edgeadm wrote last', async () => {
  const before = await ledger.keep(Buffer.from([0, 255, 10]))
  expect(await again().kept(before)).toEqual(Buffer.from([0, 255, 10]))
  await record('/etc/a')
  await ledger.written('/etc/a', Buffer.from('one'))
  await ledger.written('/etc/a', Buffer.from('two'))
  const [entry] = await again().entries()
  expect((await ledger.kept(entry?.after ?? '')).toString()).toBe('two')
})
