import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { EventBody } from '../../src/output/events.ts'
import { TerminalRenderer } from '../../src/output/terminal.ts'
import { Screen } from './screen.ts'

const phase = (name: string, state: 'started' | 'done' | 'failed', background = false): EventBody => ({
  type: 'phase',
  phase: name,
  title: `Do ${name}`,
  state,
  ...(background ? { background } : {}),
})
const interrupted: EventBody = {
  type: 'error',
  class: 'interrupted',
  message: 'interrupted by Ctrl-C',
  details: [],
  fix: 'run it again',
}
const progress = (task: string, done: number): EventBody => ({
  type: 'progress',
  task,
  done,
  total: 10,
  unit: 'items',
})

/** What is on the screen at the end. Between two events, the list gets the time to draw itself. */
async function render(...bodies: (EventBody | number)[]): Promise<string> {
  const screen = new Screen()
  const stream = screen as unknown as NodeJS.WriteStream
  const renderer = new TerminalRenderer(stream, stream)
  for (const body of bodies) {
    if (typeof body === 'number') await delay(body)
    else renderer.handle({ schema: 's', time: 't', ...body })
  }
  await renderer.close()
  await delay(150)
  return screen.text()
}

test('each phase ends with its mark, and the result comes last', async () => {
  const result: EventBody = { type: 'result', text: 'all is done', data: {} }
  expect(
    await render(
      phase('a', 'started'),
      150,
      phase('a', 'done'),
      phase('b', 'started'),
      150,
      phase('b', 'done'),
      result,
    ),
  ).toBe('✔ Do a\n✔ Do b\nall is done')
})

test('Ctrl-C in a phase: a cross, no spinner left, and what to do', async () => {
  const text = await render(
    phase('a', 'started'),
    { type: 'output', text: 'the last line of what it does' },
    250,
    phase('a', 'failed'),
    interrupted,
  )
  expect(text).toBe('✖ Do a\nerror: interrupted by Ctrl-C\nTo fix it: run it again')
})

test('Ctrl-C while something goes on in the background', async () => {
  const text = await render(
    phase('images', 'started', true),
    phase('a', 'started'),
    200,
    phase('a', 'done'),
    // Long enough for the background to get its row.
    500,
    progress('import', 3),
    phase('images', 'failed', true),
    interrupted,
    progress('import', 4),
    { type: 'output', text: 'a late line' },
    200,
  )
  expect(text).toBe('✔ Do a\n✖ Do images\nerror: interrupted by Ctrl-C\nTo fix it: run it again')
})

test('Ctrl-C in work that is no phase: it is not shown as done', async () => {
  const text = await render(progress('verify', 3), 250, interrupted, progress('verify', 4), 100)
  expect(text).toBe('✖ verify\nerror: interrupted by Ctrl-C\nTo fix it: run it again')
})
