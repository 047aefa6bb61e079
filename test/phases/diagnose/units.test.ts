import { expect, test } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { causesFirst, errorsIn, lastErrors } from '../../../src/phases/diagnose/units.ts'

test('journals are read since this run began', async () => {
  let asked: readonly string[] = []
  const probe = async (_: string, args: readonly string[]) => {
    asked = args
    return { stdout: '', stderr: '', exitCode: 0 }
  }
  await lastErrors({ probe } as unknown as Host, 'kubelet.service')
  const since = Number(asked.find((word) => word.startsWith('--since=@'))?.slice('--since=@'.length))
  expect(Math.abs(since * 1000 - performance.timeOrigin)).toBeLessThan(1000)
})

test('a refusal of credentials is kept and comes first, whatever was said after it', () => {
  const noise = Array.from(
    { length: 8 },
    (_, index) => `E1126 10:00:0${index}.0 12 a.go:1] cannot do ${index}`,
  )
  const journal = ['E1126 09:00:00.0 12 a.go:1] "Unable to register" err="Unauthorized"', ...noise].join('\n')
  expect(errorsIn(journal)[0]).toBe('"Unable to register" err="Unauthorized"')
  expect(errorsIn(journal)).toHaveLength(7)
  expect(causesFirst(['containerd: old', 'kubelet: Unauthorized'])).toEqual([
    'kubelet: Unauthorized',
    'containerd: old',
  ])
})
