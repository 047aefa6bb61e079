import { expect, test } from 'vitest'
import type { EventBody } from '../../../src/output/events.ts'
import { progressText } from '../../../src/output/text.ts'
import { forecast, roughly, secondsOf } from '../../../src/package/build/forecast.ts'
import type { Step } from '../../../src/package/build/plan.ts'

type Progress = EventBody & { type: 'progress' }

function step(name: string, type: 'go' | 'layers'): Step {
  const source =
    type === 'go' ? { type, module: 'example.org/x', package: 'example.org/x' } : { type, layers: [] }
  const component = { name, version: 'v1', licence: 'MIT', sources: [source] }
  return { component, source, programs: [], parts: [] }
}

const STEPS = [step('kubernetes', 'go'), step('etcd', 'go'), step('etcd-image', 'layers')]

function watch(machine = { slowness: 1, cores: 2 }) {
  const events: EventBody[] = []
  const ahead = forecast(STEPS, (event) => events.push(event), machine)
  return {
    ahead,
    events,
    shown: () => events.filter((event): event is Progress => event.type === 'progress'),
  }
}

test('the line before the work: how many, how long on this machine, and what the next run does', () => {
  const seconds = STEPS.reduce((sum, each) => sum + secondsOf(each), 0)
  expect(watch().ahead.text).toContain(
    `3 components to make: about ${roughly(seconds / 1.7)} on this machine`,
  )
  expect(watch({ slowness: 4, cores: 2 }).ahead.text).toContain(`about ${roughly((4 * seconds) / 1.7)}`)
  expect(watch().ahead.text).toContain('goes on there')
})

test('one progress over all: it grows, and ends at 100', () => {
  const { ahead, shown } = watch()
  for (const each of STEPS) {
    const emit = ahead.during(each)
    for (const done of [1, 50, 100])
      emit({ type: 'progress', task: 'compile', done, total: 100, unit: 'items' })
    ahead.done(each)
  }
  const done = shown().map((event) => event.done)
  expect(done).toEqual([...done].sort((a, b) => a - b))
  expect(done.at(-1)).toBe(100)
  expect(done.length).toBeGreaterThan(4)
  expect(shown().every(({ unit }) => unit === 'percent')).toBe(true)
})

test('what a component says besides its progress is passed on', () => {
  const { ahead, events } = watch()
  ahead.during(STEPS[0] as Step)({ type: 'warning', text: 'slow' })
  expect(events).toEqual([{ type: 'warning', text: 'slow' }])
})

test('the words for it', () => {
  const event = { type: 'progress', task: 'make', done: 30, total: 100, unit: 'percent' } as const
  const at = { schema: 'x', time: 'x' }
  expect(progressText({ ...event, ...at, secondsLeft: 300 })).toBe('make: 30%, about 5 min left')
  expect(progressText({ ...event, ...at, secondsLeft: 40 })).toBe('make: 30%, about 40 s left')
})
