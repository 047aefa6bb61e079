import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockMachine } from '../../src/host/lock.ts'

let directory: string
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'edgeadm-lock-')), 'run')
})
afterEach(() => rmSync(join(directory, '..'), { recursive: true }))

test('a second run is told who holds the machine, and has it once it is given back', async () => {
  const unlock = await lockMachine('init', directory)
  await expect(lockMachine('join', directory)).rejects.toMatchObject({
    class: 'locked',
    message: expect.stringContaining(`\`edgeadm init\`, pid ${process.pid}, since `),
  })
  await unlock()
  expect(existsSync(directory)).toBe(false)
  await (await lockMachine('join', directory))()
})

test('of many at once exactly one gets it', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => lockMachine(`init ${index}`, directory)),
  )
  const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  expect(winners).toHaveLength(1)
  await winners[0]?.value()
})

test('the lock of a killed run is taken over at once, though another process has its number now', async () => {
  const unlock = await lockMachine('init', directory)
  const note = join(directory, 'holder.json')
  const holder = JSON.parse(readFileSync(note, 'utf8')) as object
  writeFileSync(note, JSON.stringify({ ...holder, startTime: '1' }))
  const begun = Date.now()
  const again = await lockMachine('init', directory)
  expect(Date.now() - begun).toBeLessThan(2000)
  await again()
  await unlock().catch(() => {}) // its lock went to the other
})
