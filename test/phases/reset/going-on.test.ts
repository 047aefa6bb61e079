import { expect, test } from 'vitest'
import type { Residue } from '../../../src/host/undo.ts'
import { EdgeadmError } from '../../../src/output/errors.ts'
import type { ResetContext } from '../../../src/phases/reset/context.ts'
import { goingOn } from '../../../src/phases/reset/going-on.ts'

const failing = (error: Error) =>
  goingOn({ name: 'network/ipvs', title: 'x', run: async () => Promise.reject(error) })

function context(signal: AbortSignal): { ctx: ResetContext; residue: Residue[]; warnings: unknown[] } {
  const residue: Residue[] = []
  const warnings: unknown[] = []
  const ctx = { signal, residue, emit: (event: unknown) => warnings.push(event) } as unknown as ResetContext
  return { ctx, residue, warnings }
}

test('a failure goes into the report and keeps no later phase from its work', async () => {
  const { ctx, residue, warnings } = context(new AbortController().signal)
  await failing(new EdgeadmError('phase', 'ipset: KUBE-X is in use')).run(ctx)
  expect(residue).toEqual([{ what: 'phase network/ipvs', why: 'ipset: KUBE-X is in use' }])
  expect(warnings).toHaveLength(1)
})

test('Ctrl-C stops', async () => {
  const stop = new AbortController()
  stop.abort(new Error('Ctrl-C'))
  const { ctx, residue } = context(stop.signal)
  await expect(failing(new Error('ended')).run(ctx)).rejects.toThrow('Ctrl-C')
  expect(residue).toEqual([])
})
