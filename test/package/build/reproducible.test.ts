import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '../synthetic.ts'
import { makeWorld } from '../world.ts'
import { build, freshCache, sha256 } from './fixtures.ts'

test('two builds in other folders, with other caches, at another time and with another umask, give the same bytes', async () => {
  const world = await makeWorld()
  const sums: string[] = []
  const umask = process.umask()
  try {
    for (const [time, mask] of [
      ['2026-01-01T00:00:00Z', 0o022],
      ['2031-07-15T12:34:56Z', 0o077],
    ] as const) {
      freshCache()
      vi.useFakeTimers({ toFake: ['Date'], now: new Date(time) })
      process.umask(mask)
      const { path, lines } = await build(world.recipe, {
        mirror: world.url,
        source: 'release',
        outputDirectory: temporaryFolder(),
        arch: process.arch === 'x64' ? 'amd64' : 'arm64',
      })
      expect(lines.some((line) => line.startsWith('0 of 5 components are in the cache'))).toBe(true)
      sums.push(sha256(readFileSync(path)))
    }
  } finally {
    process.umask(umask)
    vi.useRealTimers()
  }
  expect(sums[0]).toBe(sums[1])
})
