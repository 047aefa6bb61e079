import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Journal } from '../../src/phases/journal.ts'

let directory: string
const file = (): string => join(directory, 'journal.ndjson')
const open = (command = 'init', readOnly = false, sync = async (): Promise<void> => {}): Promise<Journal> =>
  Journal.open(command, { directory, readOnly, sync })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edgeadm-journal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('what finished before the first change comes to disk with it', async () => {
  const journal = await open()
  journal.begin({ '--cni': 'flannel' })
  await journal.finished('node/checks', 'a', true)
  expect(existsSync(file())).toBe(false)
  await journal.started('package')
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

test('calls at once lose no line', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `phase-${index}`)
  const journal = await open()
  await Promise.all(
    names.map(async (name, index) => {
      await new Promise((resolve) => setTimeout(resolve, index % 7))
      await journal.finished(name, 'x')
    }),
  )
  const next = await open()
  expect(names.filter((name) => !next.hasFinished(name, 'x'))).toEqual([])
})

describe('after another boot', () => {
  const openAt = (boot: string, sync?: () => Promise<void>): Promise<Journal> =>
    Journal.open('init', { directory, boot, ...(sync === undefined ? {} : { sync }) })

  test('only what was brought to the disk counts as done', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let syncs = 0
    const journal = await open('init', false, async () => {
      syncs += 1
      if (syncs > 1) await held
    })
    await journal.started('certs')
    await journal.finished('certs', 'a')
    await journal.settled()
    await journal.started('etcd')
    await journal.finished('etcd', 'b')
    await journal.started('kubelet-start')

    const same = await open()
    expect(['certs', 'etcd'].map((phase) => same.wasCutOff(phase))).toEqual([false, false])
    expect(same.hasFinished('etcd', 'b')).toBe(true)
    const other = await openAt('another boot')
    expect([other.hasFinished('certs', 'a'), other.wasCutOff('certs')]).toEqual([true, false])
    expect([other.hasFinished('etcd', 'b'), other.wasCutOff('etcd')]).toEqual([false, true])
    expect(other.wasCutOff('kubelet-start')).toBe(true)
    release()
    await journal.settled()
    expect((await openAt('another boot')).hasFinished('etcd', 'b')).toBe(true)
  })

  test('one sync at a time serves all that finished before it', async () => {
    let running = 0
    let syncs = 0
    const journal = await open('init', false, async () => {
      running += 1
      syncs += 1
      expect(running).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 20))
      running -= 1
    })
    for (let index = 0; index < 20; index++) await journal.finished(`phase-${index}`, 'x')
    await journal.settled()
    expect(syncs).toBeLessThan(20)
    const next = await openAt('another boot')
    expect(next.hasFinished('phase-19', 'x')).toBe(true)
  })

  test('a disk that refuses is an error, and nothing counts as done', async () => {
    const journal = await open('init', false, async () => {
      throw new Error('Input/output error')
    })
    await journal.finished('certs', 'a')
    await expect(journal.settled()).rejects.toThrow('Input/output error')
    expect((await openAt('another boot')).hasFinished('certs', 'a')).toBe(false)
  })
})

test('a dry run reads it and writes nothing', async () => {
  const journal = await open()
  await journal.finished('certs', 'a')
  await journal.settled()
  const before = readFileSync(file())
  const dry = await open('init', true)
  expect(dry.hasFinished('certs', 'a')).toBe(true)
  await dry.finished('etcd', 'b')
  expect(readFileSync(file())).toEqual(before)
})

test('an upgrade changes the version that later runs compare theirs with, and nothing else', async () => {
  const journal = await open()
  journal.begin({ '--kubernetes-version': 'v1.33.13', '--cni': 'flannel' })
  await journal.started('certs')
  await (await open('upgrade apply x')).finished('control-plane', 'a')
  await Journal.changeSettings({ '--kubernetes-version': 'v1.34.4', '--ha': 'none' }, directory)
  const lines = readFileSync(file(), 'utf8')
  await Journal.changeSettings({ '--kubernetes-version': 'v1.34.4' }, directory)
  expect(readFileSync(file(), 'utf8')).toBe(lines)
  expect((await open()).earlier).toMatchObject({
    command: 'init',
    settings: { '--kubernetes-version': 'v1.34.4', '--cni': 'flannel' },
  })
})
