import { readFileSync } from 'node:fs'
import { diffMachine } from '../../src/lab/index.ts'
import type { TestLab } from './machines.ts'

const STATE = readFileSync(new URL('machine-state.sh', import.meta.url), 'utf8')

/** What a machine is like: kernel parameters, units, interfaces, mounts, rules, …, and which files it changed since boot. */
export interface MachineState {
  readonly sections: Readonly<Record<string, string>>
  /** As `lab diff` has them, without logs. */
  readonly files: readonly string[]
}

export async function machineState(lab: TestLab, machine: string): Promise<MachineState> {
  const text = await lab.run(machine, ['bash', '-s'], { input: STATE })
  const sections = text.split(/^=== /m).slice(1)
  const differences = await diffMachine(lab.name, machine)
  return {
    sections: Object.fromEntries(
      sections.map((section) => {
        const [title = '', ...lines] = section.split('\n')
        return [title, lines.join('\n')]
      }),
    ),
    files: differences
      .filter(({ path }) => !path.startsWith('/var/log/'))
      .map(({ kind, path, aspects, count }) => [kind, path, ...aspects, count].join(' ')),
  }
}
