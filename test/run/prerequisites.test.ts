import { afterEach, expect, test, vi } from 'vitest'
import { requireLinuxRoot } from '../../src/run/prerequisites.ts'

afterEach(() => vi.restoreAllMocks())

test('another system than Linux is refused, a dry run too', () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')
  Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' })
  try {
    for (const dryRun of [false, true]) {
      expect(() => requireLinuxRoot('init', dryRun)).toThrow(
        expect.objectContaining({
          class: 'preflight',
          message: 'edgeadm init runs on Linux, and this is darwin',
        }),
      )
    }
  } finally {
    Object.defineProperty(process, 'platform', platform ?? {})
  }
})

test('a user who is not root is refused, but for a dry run', () => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000)
  expect(() => requireLinuxRoot('join', false)).toThrow(
    expect.objectContaining({ class: 'preflight', fix: expect.stringContaining('sudo edgeadm join') }),
  )
  expect(() => requireLinuxRoot('join', true)).not.toThrow()
})
