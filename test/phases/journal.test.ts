import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Journal } from '../../src/phases/journal.ts'

let directory: string
const file = (): string => join(directory, 'journal.ndjson')
const open = (command = 'init', readOnly = false): Promise<Journal> =>
  Journal.open(command, { directory, readOnly })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edgeadm-journal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('what finished before the first change comes to disk with it', async () => {
  const journal = await open()
  journal.begin({ '--cni': 'flannel' })
  await journal.finished('node/checks', 'a', true)
  expect(existsSync(file())).toBe(false)
  await journal.flush()
  await journal.finished('certs', 'b')

  const next = await open()
  expect(next.hasFinished('node/checks', 'a')).toBe(true)
  expect(next.hasFinished('certs', 'b')).toBe(true)
  expect(next.hasFinished('certs', 'other inputs')).toBe(false)
  expect(next.earlier).toMatchObject({ command: 'init', settings: { '--cni': 'flannel' } })
})

test('each command has a list of its own, and knows of the others', async () => {
  await (await open('init')).finished('certs', 'a')
  const other = await open('join')
  expect(other.hasFinished('certs', 'a')).toBe(false)
  expect(other.everFinished('init', 'certs')).toBe(true)
})

test('a line torn by a power cut is no line, and the next one is whole', async () => {
  await (await open()).finished('certs', 'a')
  appendFileSync(file(), '\n{"command":"init","phase":"kubec')
  await (await open()).finished('etcd', 'b')
  const next = await open()
  expect([next.hasFinished('certs', 'a'), next.hasFinished('etcd', 'b')]).toEqual([true, true])
  expect(next.everFinished('init', 'kubec')).toBe(false)
})

test('a dry run reads it and writes nothing', async () => {
  await (await open()).finished('certs', 'a')
  const before = readFileSync(file())
  const dry = await open('init', true)
  expect(dry.hasFinished('certs', 'a')).toBe(true)
  await dry.finished('etcd', 'b')
  expect(readFileSync(file())).toEqual(before)
})
