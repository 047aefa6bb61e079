import { captureOutput } from '@oclif/test'
import { afterEach, describe, expect, test } from 'vitest'
import { main } from '../src/cli.ts'
import { COMMANDS } from '../src/commands/index.ts'
import { hoistCommand, normalizeGoFlags } from '../src/go-flags.ts'

afterEach(() => {
  process.exitCode = 0
})

async function cli(...argv: string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const { stdout, stderr } = await captureOutput(() => main(argv))
  return { stdout, stderr, exitCode: Number(process.exitCode ?? 0) }
}

describe('flags as Go parses them', () => {
  const flags = {
    'enable-edge': { type: 'boolean', allowNo: true },
    'dry-run': { type: 'boolean' },
    name: { type: 'option' },
  }

  test.each([
    [['--enable-edge=false'], ['--no-enable-edge']],
    [['--enable-edge=T'], ['--enable-edge']],
    [['--dry-run=0', '--name=x=y'], ['--name=x=y']],
    [
      ['--', '--enable-edge=false'],
      ['--', '--enable-edge=false'],
    ],
  ])('%j', (argv, expected) => {
    expect(normalizeGoFlags(argv, flags)).toEqual(expected)
  })

  test('a value that is no boolean is refused', () => {
    expect(() => normalizeGoFlags(['--dry-run=maybe'], flags)).toThrow(
      'invalid argument "maybe" for "--dry-run" flag',
    )
  })

  test('global flags may stand before the command', () => {
    expect(hoistCommand(['-v=6', 'init', '--x'], new Set(['init']))).toEqual(['init', '--x', '-v=6'])
  })
})

describe('every command', () => {
  test.each(Object.entries(COMMANDS))(
    '%s has a summary, and no argument is read from standard input',
    (_, command) => {
      expect(command.summary ?? '').not.toBe('')
      for (const argument of Object.values(command.args ?? {}))
        expect(argument).toMatchObject({ ignoreStdin: true })
    },
  )
})

describe('words', () => {
  test('no words, help, and --help show help', async () => {
    for (const argv of [[], ['help'], ['--help']])
      expect((await cli(...argv)).stdout).toContain('edgeadm [COMMAND]')
    expect((await cli('help', 'init')).stdout).toContain('--apiserver-advertise-address')
  })

  test('an unknown command names the nearest one, exit code 2', async () => {
    const { stderr, exitCode } = await cli('innit')
    expect(stderr).toContain('did you mean `edgeadm init`?')
    expect(exitCode).toBe(2)
  })

  test('what is missing is one line', async () => {
    expect((await cli('package', 'merge', 'OLD', 'NEW')).stderr).toMatch(
      /^error: Missing required flag output-file\nTo fix it: see `edgeadm package merge --help`\n$/,
    )
    expect((await cli('package', 'diff')).stderr).toMatch(/^error: Missing 2 required args: old .*; new /m)
  })

  test('an unknown flag names the nearest one, exit code 2, also as JSON', async () => {
    const text = await cli('init', '--enable-egde')
    expect(text.stderr).toContain('unknown flag: --enable-egde')
    expect(text.stderr).toContain('did you mean --enable-edge?')
    expect(text.exitCode).toBe(2)
    const json = await cli('init', '--enable-egde', '--output', 'json')
    expect(JSON.parse(json.stdout)).toMatchObject({ type: 'error', class: 'usage' })
  })

  test('completion is made for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout } = await cli('completion', shell)
      expect(stdout).toContain('--install-pkg-path')
      expect(stdout).toContain('token')
    }
  })

  test('token generate prints a token', async () => {
    expect((await cli('token', 'generate')).stdout).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}\n$/)
  })
})
