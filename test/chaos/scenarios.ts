/** What is killed: each scenario is a lab, and commands in it, one after another. Each command ends well before the next begins. */

import { basename } from 'node:path'
import { diffMachine, type MachineCounts } from '../../src/lab/index.ts'
import { PACKAGE } from '../lab/artifacts.ts'
import type { TestLab } from '../lab/machines.ts'

export interface Step {
  readonly machine: string
  /** edgeadm's arguments. */
  readonly command: readonly string[]
  /** Whether the end is right; rejects if not. */
  readonly check: () => Promise<void>
  /** The reset that takes it back; undefined for a reset itself. */
  readonly back?: Step
  /** What has to be done elsewhere before it can be done again. */
  readonly beforeAgain?: () => Promise<void>
}

export interface Row {
  readonly scenario: string
  readonly command: string
  /** The phase in which it was killed, or how else it was struck. */
  readonly where: string
  readonly strikes: number
  /** Undefined: the same command then did it. */
  readonly failed: string | undefined
}

interface Scenario {
  readonly machines: Partial<MachineCounts>
  readonly steps: (lab: TestLab) => AsyncGenerator<Step>
}

const COMMON = ['--config=/root/cluster.yaml', `--install-pkg-path=/root/${basename(PACKAGE)}`]
const VIP = '10.123.0.240:8443'
const KEY = 'a'.repeat(64)
const HA = [
  '--ha=haproxy-keepalived',
  `--control-plane-endpoint=${VIP}`,
  '--upload-certs',
  `--certificate-key=${KEY}`,
]

const init = (...flags: string[]): string[] => ['init', ...COMMON, ...flags]

function ready(lab: TestLab, master: string, machine: string): () => Promise<void> {
  return async () => {
    const wait = ['wait', '--for=condition=Ready', `node/${machine}`, '--timeout=120s']
    await lab.run(master, ['kubectl', ...wait])
  }
}

function reset(lab: TestLab, machine: string): Step {
  return { machine, command: ['reset', '--force'], check: clean(lab, machine) }
}

/** Nothing is left on the disk but logs. */
function clean(lab: TestLab, machine: string): () => Promise<void> {
  return async () => {
    const left = (await diffMachine(lab.name, machine)).map(({ path }) => path)
    const own = left.filter((path) => !/^\/var\/log\/(journal|edgeadm)/.test(path))
    if (own.length > 0) throw new Error(`left on ${machine}: ${own.join(', ')}`)
  }
}

async function joinWords(lab: TestLab): Promise<string[]> {
  const line = await lab.run('master-1', ['edgeadm', 'token', 'create', '--print-join-command'])
  return [...(/edgeadm (join .*)/.exec(line)?.[1]?.trim().split(/\s+/) ?? []), ...COMMON]
}

function single(isEdge: boolean): Scenario {
  const machine = isEdge ? 'edge-1' : 'worker-1'
  return {
    machines: { masters: 1, ...(isEdge ? { edges: 1 } : { workers: 1 }) },
    async *steps(lab) {
      const enable = isEdge ? '--enable-edge' : '--enable-edge=false'
      const back = reset(lab, 'master-1')
      yield { machine: 'master-1', command: init(enable), check: ready(lab, 'master-1', 'master-1'), back }
      const join = [...(await joinWords(lab)), enable]
      yield {
        machine,
        command: join,
        check: ready(lab, 'master-1', machine),
        back: reset(lab, machine),
        beforeAgain: async () => {
          await lab.run('master-1', ['edgeadm', 'reset', '--force', '--remove-node', machine])
        },
      }
      yield reset(lab, machine)
      yield reset(lab, 'master-1')
    },
  }
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  single: single(false),
  edge: single(true),
  ha: {
    machines: { masters: 2 },
    async *steps(lab) {
      const command = init('--enable-edge=false', ...HA)
      const back = reset(lab, 'master-1')
      yield { machine: 'master-1', command, check: ready(lab, 'master-1', 'master-1'), back }
      const join = [...(await joinWords(lab)), '--control-plane', `--certificate-key=${KEY}`]
      yield {
        machine: 'master-2',
        command: join,
        check: ready(lab, 'master-1', 'master-2'),
        back: reset(lab, 'master-2'),
      }
      yield reset(lab, 'master-2')
      yield reset(lab, 'master-1')
    },
  },
}
