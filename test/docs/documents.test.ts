/** README.md and docs/*.md: their commands exist, their links lead somewhere, their words are those of the code. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from '@oclif/core'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/commands/index.ts'
import { EXIT_CODES } from '../../src/output/errors.ts'
import { commandLines, problemOf } from './command-lines.ts'

const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
)
const read = (path: string) => readFileSync(path, 'utf8')

describe.each(PAGES)('%s', (page) => {
  test('its commands and flags exist', () => {
    const problems = commandLines(read(page)).flatMap((line) => problemOf(line, COMMANDS) ?? [])
    expect(problems).toEqual([])
  })

  test('its links lead to files that exist', () => {
    const targets = [...read(page).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => String(target))
    const files = targets.filter((target) => !/^[a-z]+:/.test(target))
    expect(files.filter((target) => !existsSync(join(dirname(page), target)))).toEqual([])
  })
})

describe('the check of commands', () => {
  const commands = COMMANDS as Readonly<Record<string, Command.Class>>
  test.each([
    ['edgeadm init --install-pkg-path ./x.tar.zst', undefined],
    ['edgeadm init --enable-edge=false -v 1', undefined],
    ['edgeadm join 10.0.0.10:6443 --token … …', undefined],
    ['edgeadm lab exec --lab three master-1 -- kubectl get nodes --no-such-flag', undefined],
    ['edgeadm install', 'no command: edgeadm install'],
    ['edgeadm init --no-such-flag', 'edgeadm init has no --no-such-flag'],
    ['edgeadm status nodes', 'edgeadm status takes no "nodes"'],
  ])('%s', (line, expected) => {
    expect(problemOf(line, commands)).toBe(expected)
  })

  test('finds commands in code, not in prose, and leaves comments away', () => {
    const page =
      'edgeadm is a tool\n\n    edgeadm init --x   # edgeadm no\n    x=$(edgeadm token list)\n\nrun `edgeadm reset` now\n'
    expect(commandLines(page)).toEqual(['edgeadm init --x', 'edgeadm token list', 'edgeadm reset'])
  })
})

describe('troubleshooting', () => {
  const page = read('docs/troubleshooting.md')

  test('quotes messages that the code has', () => {
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(join('src', name)))
      .join('\n')
    const quoted = [...page.matchAll(/^\| `([^`]+)` \|[^|]+\|[^|]+\|$/gm)].map(([, text]) => String(text))
    expect(quoted.length).toBeGreaterThan(10)
    expect(quoted.filter((text) => !source.includes(text))).toEqual([])
  })

  test('has every exit code', () => {
    const codes = [...page.matchAll(/^\| ([\d, ]+) \| ([a-z, ]*) \|/gm)].flatMap(([, numbers, classes]) =>
      String(numbers)
        .split(', ')
        .map((number, index) => [String(classes).split(', ')[index], Number(number)]),
    )
    expect(Object.fromEntries(codes)).toEqual(EXIT_CODES)
  })
})
