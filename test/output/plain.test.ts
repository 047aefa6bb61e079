import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { EventBody } from '../../src/output/events.ts'
import { PlainRenderer } from '../../src/output/plain.ts'

function render(verbosity: number, ...bodies: EventBody[]): { stdout: string; stderr: string } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const renderer = new PlainRenderer(stdout, stderr, verbosity)
  for (const body of bodies) renderer.handle({ schema: 's', time: 't', ...body })
  return { stdout: stdout.read()?.toString() ?? '', stderr: stderr.read()?.toString() ?? '' }
}

test('the result alone goes to stdout', () => {
  const { stdout, stderr } = render(
    0,
    { type: 'output', text: '[certs] made' },
    { type: 'result', text: 'edgeadm join …', data: {} },
  )
  expect(stdout).toBe('edgeadm join …\n')
  expect(stderr).toBe('[certs] made\n')
})

test('an error shows what, details, and the way out, in this order', () => {
  const { stderr } = render(0, {
    type: 'error',
    class: 'preflight',
    message: 'not fit',
    details: ['[ERROR Mem]: too small'],
    fix: 'add memory',
  })
  expect(stderr).toBe('error: not fit\n\t[ERROR Mem]: too small\nTo fix it: add memory\n')
})

test('changes are shown from -v=1, and always when they carry a diff', () => {
  const change = { type: 'change', phase: 'node/hosts', action: 'write', target: '/etc/hosts' } as const
  expect(render(0, change).stderr).toBe('')
  expect(render(1, change).stderr).toBe('[node/hosts] write /etc/hosts\n')
  expect(render(0, { ...change, diff: '+1.2.3.4 a\n' }).stderr).toBe(
    '[node/hosts] write /etc/hosts\n+1.2.3.4 a\n',
  )
})

test('progress is not repeated for every chunk', () => {
  const step = (done: number): EventBody => ({
    type: 'progress',
    task: 'unpack',
    done,
    total: 1024,
    unit: 'bytes',
  })
  expect(render(0, step(0), step(1), step(2)).stderr.split('\n')).toHaveLength(2)
})
