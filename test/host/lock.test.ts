import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockMachine } from '../../src/host/lock.ts'

let directory: string
const children: ChildProcess[] = []
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'edgeadm-lock-')), 'run')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(join(directory, '..'), { recursive: true })
})

/** A process that tries `attempts` times at once when it is told to, says how many got the lock, and keeps it. */
const TAKER = `
import { createInterface } from 'node:readline'
import { lockMachine } from '${new URL('../../src/host/lock.ts', import.meta.url).pathname}'
const [directory, attempts] = process.argv.slice(1)
console.log('ready')
for await (const line of createInterface(process.stdin)) {
  const taken = await Promise.allSettled(Array.from({ length: Number(attempts) }, () => lockMachine('init', directory)))
  const failed = taken.filter(({ status, reason }) => status === 'rejected' && reason.class !== 'locked')
  for (const { reason } of failed) console.error(reason)
  console.log(taken.filter(({ status }) => status === 'fulfilled').length + failed.length * 1000)
}
`
interface Taker {
  readonly child: ChildProcess
  /** Resolves with how many of its attempts got the lock. */
  take(): Promise<number>
}

async function startTaker(attempts: number): Promise<Taker> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', TAKER, directory, String(attempts)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  children.push(child)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  return {
    child,
    async take() {
      child.stdin.write('\n')
      return Number((await lines.next()).value)
    },
  }
}

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

test('of 200 starts at once after a kill -9 exactly one gets it, each time', async () => {
  const takers = await Promise.all(Array.from({ length: 8 }, () => startTaker(25)))
  for (let round = 0; round < 5; round++) {
    const holder = await startTaker(1)
    expect(await holder.take()).toBe(1)
    holder.child.kill('SIGKILL')
    await once(holder.child, 'exit')
    const counts = await Promise.all(takers.map((taker) => taker.take()))
    expect(counts.reduce((sum, count) => sum + count)).toBe(1)
    const [winner] = takers.splice(counts.indexOf(1), 1)
    winner?.child.kill('SIGKILL')
    await once(winner?.child as ChildProcess, 'exit')
    takers.push(await startTaker(25))
  }
}, 60_000)

test('a holder that stands still keeps it, and a command that it started does not', async () => {
  const holder = await startTaker(1)
  expect(await holder.take()).toBe(1)
  holder.child.kill('SIGSTOP')
  await expect(lockMachine('join', directory)).rejects.toMatchObject({
    class: 'locked',
    message: expect.stringContaining(`pid ${holder.child.pid},`),
  })
  holder.child.kill('SIGKILL')
  await once(holder.child, 'exit')
  const unlock = await lockMachine('join', directory)
  const command = spawn('sleep', ['60'])
  children.push(command)
  await once(command, 'spawn')
  await unlock()
  await (await lockMachine('reset', directory))()
})
