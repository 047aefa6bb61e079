import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { EventBody } from '../../src/output/events.ts'
import { Journal } from '../../src/phases/journal.ts'
import {
  checkPhaseNames,
  inBackground,
  type Phase,
  type PhaseContext,
  runPhases,
} from '../../src/phases/workflow.ts'

let directory: string
let events: EventBody[]
let ran: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edgeadm-workflow-'))
  events = []
  ran = []
})
afterEach(() => rmSync(directory, { recursive: true }))

const phase = (name: string, extra: Partial<Phase<PhaseContext>> = {}): Phase<PhaseContext> => ({
  name,
  title: name,
  run: async () => {
    ran.push(name)
  },
  ...extra,
})

interface Options {
  readonly skip?: readonly string[]
  readonly only?: string
}

async function run(phases: readonly Phase<PhaseContext>[], { skip = [], only }: Options = {}): Promise<void> {
  const reporting = { emit: (event: EventBody) => events.push(event), signal: new AbortController().signal }
  await runPhases({
    phases,
    context: (_, skips) => ({ ...reporting, host: {} as Host, skips }),
    skip,
    ...(only === undefined ? {} : { only }),
    journal: await Journal.open('init', { directory }),
    reporting,
  })
}

const skipped = (): string[] =>
  events.flatMap((event) =>
    event.type === 'phase' && event.state === 'skipped' ? [`${event.phase}: ${event.reason}`] : [],
  )

describe('selecting', () => {
  const list = [
    phase('preflight'),
    phase('certs', { children: ['ca', 'sa'] }),
    phase('addon/a'),
    phase('addon/b'),
  ]

  test('all, in order', async () => {
    await run(list)
    expect(ran).toEqual(['preflight', 'certs', 'addon/a', 'addon/b'])
  })

  test('--skip-phases takes a phase and a group', async () => {
    await run(list, { skip: ['preflight', 'addon'] })
    expect(ran).toEqual(['certs'])
    expect(skipped()).toEqual([
      'preflight: --skip-phases',
      'addon/a: --skip-phases',
      'addon/b: --skip-phases',
    ])
  })

  test('a child that is skipped, or run alone, is the phase with the others left out', async () => {
    const seen: boolean[][] = []
    const certs = phase('certs', {
      children: ['ca', 'sa'],
      run: async ({ skips }) => {
        seen.push([skips('certs/ca'), skips('certs/sa')])
      },
    })
    await run([certs], { skip: ['certs/ca'] })
    await run([certs], { only: 'certs/ca' })
    expect(seen).toEqual([
      [true, false],
      [false, true],
    ])
  })

  test('an unknown name is refused with the nearest one', () => {
    expect(() => checkPhaseNames(list, ['preflihgt'])).toThrow(
      expect.objectContaining({ class: 'usage', fix: 'did you mean preflight?' }),
    )
    expect(() => checkPhaseNames(list, ['certs/sa', 'addon'])).not.toThrow()
  })
})

describe('resuming', () => {
  test('a rerun skips what is done and still stands, and repeats the rest', async () => {
    let stands = true
    const fails = phase('b', {
      run: async () => {
        throw new Error('no')
      },
    })
    const a = phase('a', { verify: async () => stands })
    await expect(run([a, fails, phase('c')])).rejects.toThrow('phase b: no')
    await run([a, phase('b'), phase('c')])
    expect(ran).toEqual(['a', 'b', 'c'])
    expect(skipped()).toEqual(['a: done by an earlier run'])
    stands = false
    await run([a])
    expect(ran.at(-1)).toBe('a')
  })

  test('other inputs repeat a phase', async () => {
    const withInput = (input: string): Phase<PhaseContext> =>
      phase('a', { inputs: () => input, verify: async () => true })
    await run([withInput('one')])
    await run([withInput('one')])
    expect(ran).toEqual(['a'])
    await run([withInput('two')])
    expect(ran).toEqual(['a', 'a'])
  })
})

describe('in the background', () => {
  test('a phase runs beside the next ones and is awaited where it is needed', async () => {
    let finish = (): void => {}
    const slow = phase('images', {
      run: () =>
        new Promise<void>((resolve) => {
          finish = () => {
            ran.push('images')
            resolve()
          }
        }),
    })
    const start = phase('start')
    const beside = phase('beside', {
      run: async () => {
        ran.push('beside')
        finish()
      },
    })
    await run([inBackground(slow, start), beside, start])
    expect(ran).toEqual(['beside', 'images', 'start'])
  })

  test('its failure is the failure of the run, at the phase that needs it', async () => {
    const broken = phase('images', {
      run: async () => {
        throw new Error('disk full')
      },
    })
    const start = phase('start')
    await expect(run([inBackground(broken, start), phase('beside'), start])).rejects.toThrow(
      'phase images: disk full',
    )
    expect(ran).toEqual(['beside'])
  })
})
