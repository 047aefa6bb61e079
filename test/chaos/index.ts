/** `npm run chaos`: edgeadm is killed in each phase and at random moments, and the same command is run again. */

import { parseArgs } from 'node:util'
import {
  createLab,
  deleteLab,
  type MachineCounts,
  probeInMachine,
  runInMachine,
} from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from '../lab/artifacts.ts'
import { collectLogs } from '../lab/collect-logs.ts'
import type { TestLab } from '../lab/machines.ts'
import { type Row, SCENARIOS, type Step } from './scenarios.ts'
import { killAtRandom, killInEachPhase, stopInTheMiddle, undisturbed } from './strike.ts'
import { asMarkdown } from './table.ts'

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true, default: Object.keys(SCENARIOS) },
    /** Which commands are struck; the others run once, undisturbed. */
    command: { type: 'string', multiple: true, default: ['init', 'join', 'reset'] },
    /** Random moments for each command. */
    random: { type: 'string', default: '100' },
    /** Also stops each command for a minute in the middle. */
    stop: { type: 'boolean', default: false },
    /** Minutes after which no further command is struck; what is begun is finished. */
    limit: { type: 'string', default: '600' },
  },
})

const reporting = { emit: () => {}, signal: new AbortController().signal }
const end = Date.now() + Number(values.limit) * 60_000
const rows: Row[] = []

async function withLab(name: string, counts: Partial<MachineCounts>, use: (lab: TestLab) => Promise<void>) {
  const lab: TestLab = {
    name: `chaos-${process.pid}-${name}`,
    probe: (machine, command, options) => probeInMachine(lab.name, machine, command, options),
    run: (machine, command, options) => runInMachine(lab.name, machine, command, options),
  }
  const all = { masters: 0, workers: 0, edges: 0, ...counts }
  await createLab({ name: lab.name, executable: EXECUTABLE, package: PACKAGE, ...all }, reporting)
  try {
    await use(lab)
  } finally {
    await deleteLab(lab.name, reporting)
  }
}

async function strike(lab: TestLab, scenario: string, step: Step): Promise<void> {
  const command = `${step.command[0]} on ${step.machine}`
  const add = async (row: Omit<Row, 'scenario' | 'command'>): Promise<void> => {
    rows.push({ scenario, command, ...row })
    console.error(JSON.stringify(rows.at(-1)))
    if (row.failed !== undefined)
      console.error(`logs: ${await collectLogs(lab.name, `chaos ${scenario} ${command} ${rows.length}`)}`)
  }
  if (!values.command.includes(step.command[0] ?? '')) {
    const failed = await undisturbed(lab, step)
    if (failed !== undefined) await add({ where: 'undisturbed', strikes: 0, failed })
    return
  }
  for (const row of await killInEachPhase(lab, step)) await add(row)
  if (step.back === undefined) return
  if (Number(values.random) > 0) await add(await killAtRandom(lab, step, Number(values.random)))
  if (values.stop) await add(await stopInTheMiddle(lab, step))
}

for (const name of values.scenario) {
  const scenario = SCENARIOS[name]
  if (scenario === undefined)
    throw new Error(`no scenario ${name}; there are ${Object.keys(SCENARIOS).join(', ')}`)
  await withLab(name, scenario.machines, async (lab) => {
    for await (const step of scenario.steps(lab)) {
      if (Date.now() > end) return
      await strike(lab, name, step)
    }
  })
}
console.log(asMarkdown(rows))
process.exitCode = rows.every(({ failed }) => failed === undefined) ? 0 : 1
