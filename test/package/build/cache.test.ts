import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { cacheKey, lookUp, lookUpOrMake } from '../../../src/package/build/cache.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'
import { freshCache } from './fixtures.ts'

const CACHE = fileURLToPath(new URL('../../../src/package/build/cache.ts', import.meta.url))
let components: string

beforeEach(() => {
  components = join(freshCache(), 'components')
})

test('a key depends on values, not on the order of fields', () => {
  expect(cacheKey('a', { x: 1, y: { p: 1, q: [1, 2] } })).toBe(
    cacheKey('a', { y: { q: [1, 2], p: 1 }, x: 1 }),
  )
  expect(cacheKey('a', { x: [1, 2] })).not.toBe(cacheKey('a', { x: [2, 1] }))
})

test('what failed half way leaves nothing, and the next attempt makes it', async () => {
  const failing = lookUpOrMake(
    'k',
    async (folder) => {
      writeFileSync(join(folder, 'half'), 'x')
      throw new Error('disk full')
    },
    reporter(),
  )
  await expect(failing).rejects.toThrow('disk full')
  expect(readdirSync(components)).toEqual([])
  const { folder, record } = await lookUpOrMake('k', async () => ({ source: 'test' }), reporter())
  expect(record).toEqual({ source: 'test' })
  expect(readdirSync(folder)).toEqual(['record.json'])
})

test('two at once in one process: one makes it, the other waits', async () => {
  let made = 0
  const make = async () => {
    made += 1
    await new Promise((resolve) => setTimeout(resolve, 100))
    return { source: `made ${made}` }
  }
  const [a, b] = await Promise.all([lookUpOrMake('k', make, reporter()), lookUpOrMake('k', make, reporter())])
  expect(made).toBe(1)
  expect(a).toEqual(b)
})

test('after a kill -9 the next build takes over and removes what was left', { timeout: 30_000 }, async () => {
  const started = join(temporaryFolder(), 'started')
  const script = `
    const { lookUpOrMake } = await import(${JSON.stringify(CACHE)})
    const { writeFileSync } = await import('node:fs')
    await lookUpOrMake('k', async (folder) => {
      writeFileSync(folder + '/half', 'x')
      writeFileSync(${JSON.stringify(started)}, 'x')
      await new Promise((resolve) => setTimeout(resolve, 600_000))
    }, { emit() {}, signal: new AbortController().signal })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  await expect.poll(() => existsSync(started), { timeout: 10_000 }).toBe(true)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  expect(await lookUp('k')).toBeUndefined()
  // Left by a build of something that nobody wants any more.
  mkdirSync(join(components, `.making-old-${child.pid}`))
  const { folder } = await lookUpOrMake('k', async () => ({ source: 'second' }), reporter())
  expect(readFileSync(join(folder, 'record.json'), 'utf8')).toContain('second')
  expect(readdirSync(components)).toEqual(['k'])
})

test('waiting for another build ends with Ctrl-C', async () => {
  const { abort, signal } = reporter()
  let finish = () => {}
  const first = lookUpOrMake(
    'k',
    () =>
      new Promise((resolve) => {
        finish = () => resolve({ source: 'first' })
      }),
    reporter(),
  )
  await expect.poll(() => existsSync(components) && readdirSync(components).length).toBe(2)
  const reason = new Error('interrupted')
  const second = lookUpOrMake('k', async () => ({ source: 'second' }), {
    signal,
    emit: () => abort.abort(reason),
  })
  await expect(second).rejects.toThrow()
  finish()
  expect((await first).record.source).toBe('first')
})
