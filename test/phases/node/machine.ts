import type { InitFlags } from '../../../src/config/flags.ts'
import { resolveInit, resolveJoin } from '../../../src/config/load.ts'
import { dryRunHosts } from '../../../src/host/dry-run.ts'
import type { InitContext, JoinContext, NodeContext } from '../../../src/phases/context.ts'
import type { Problem } from '../../../src/phases/problem.ts'
import { input } from '../../config/fixtures.ts'
import { MemoryMachine } from '../../host/memory-machine.ts'

const INACTIVE = { exitCode: 3, stdout: 'inactive' }

/** A machine in memory whose commands are answered by their first words; no service runs, nobody listens. */
export function machine(answers: Readonly<Record<string, string>> = {}): MemoryMachine {
  return new MemoryMachine((line) => {
    const known = Object.entries(answers).find(([words]) => line.startsWith(words))
    if (known !== undefined) return { stdout: known[1] }
    if (line.startsWith('systemctl is-')) return INACTIVE
    return line.startsWith('ip -j') ? { stdout: '[]' } : undefined
  })
}

const around = (on: MemoryMachine): Pick<NodeContext, 'host' | 'manifest' | 'skips' | 'signal' | 'emit'> => ({
  host: dryRunHosts(on, () => {})('node/checks'),
  manifest: undefined,
  skips: () => false,
  signal: new AbortController().signal,
  emit: () => {},
})

export const initOn = (on: MemoryMachine, flags: InitFlags = {}, yaml?: string): InitContext =>
  ({ ...around(on), settings: resolveInit(input(flags, yaml)) }) as InitContext

export const joinOn = (on: MemoryMachine, flags: object = {}): JoinContext =>
  ({
    ...around(on),
    settings: resolveJoin({
      ...input({
        token: 'abcdef.0123456789abcdef',
        'discovery-token-unsafe-skip-ca-verification': true,
        ...flags,
      }),
      endpoint: '10.0.0.1:6443',
    }),
  }) as JoinContext

export const texts = (problems: readonly Problem[]): string[] =>
  problems.map(({ check, severity, text }) => `${severity} ${check}: ${text}`)
