/** Makes a cluster of a lab's machines, with the commands a user would type in them. */

import { basename } from 'node:path'
import { EdgeadmError, type ErrorClass } from '../output/errors.ts'
import type { Event, Reporting } from '../output/events.ts'
import { probeInMachine, runInMachine } from './exec.ts'
import type { LabState } from './state.ts'

const CONFIG = '--config=/root/cluster.yaml'

/** Where several masters answer: an address of the lab's network that no machine has, and haproxy's port. */
const ENDPOINT = '10.123.0.240:8443'

export interface ProvisionOptions {
  /** The master runs Pods itself, and the cluster has nothing of the edge. */
  readonly minimal?: boolean
}

/**
 * `edgeadm init` in the first master, `join` in further masters one after the other (etcd takes one new member at a time),
 * then in all others at once. Several masters share a virtual address. Their events come through, each under its
 * machine's name.
 * @throws {EdgeadmError} of the class that the command in the machine failed with
 */
export async function provisionLab(
  lab: LabState,
  reporting: Reporting,
  { minimal = false }: ProvisionOptions = {},
): Promise<void> {
  checkProvisionable(lab)
  const [first, ...others] = lab.machines
  if (!first || !lab.package) return
  const common = [`--install-pkg-path=/root/${basename(lab.package)}`, '--output=json']
  const masters = others.filter(({ role }) => role === 'master')
  const nodes = others.filter(({ role }) => role !== 'master')
  const shared = [`--control-plane-endpoint=${ENDPOINT}`, '--ha=haproxy-keepalived', '--upload-certs']
  const init = ['edgeadm', 'init', ...common, CONFIG]
  if (masters.length > 0) init.push(...shared)
  if (minimal) init.push('--enable-edge=false', '--node-taints=')
  await runEdgeadm(lab, first.name, init, false, reporting)
  for (const { name } of masters) {
    const words = await joinWords(lab, first.name, reporting, '--control-plane')
    await runEdgeadm(lab, name, [...words, ...common], false, reporting)
  }
  if (nodes.length === 0) return
  const words = await joinWords(lab, first.name, reporting)
  const outcomes = await Promise.allSettled(
    nodes.map(({ name, role }) => {
      // A worker takes its kubelet's configuration from the cluster; an edge node has its own.
      const flags = [...common, `--enable-edge=${role === 'edge'}`, ...(role === 'edge' ? [CONFIG] : [])]
      return runEdgeadm(lab, name, [...words, ...flags], true, reporting)
    }),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}

/** The join line that the first master prints, as words. */
async function joinWords(
  lab: LabState,
  master: string,
  { signal }: Reporting,
  ...flags: string[]
): Promise<string[]> {
  const command = ['edgeadm', 'token', 'create', '--print-join-command', ...flags]
  return (await runInMachine(lab.name, master, command, { signal })).trim().split(/\s+/)
}

/** To be asked before the machines are made. @throws {EdgeadmError} class `usage` */
export function checkProvisionable(lab: Pick<LabState, 'machines' | 'executable'>): void {
  const bare = 'or boot bare machines: --bare'
  if (lab.machines[0]?.role !== 'master')
    throw new EdgeadmError('usage', 'a cluster needs a master', { fix: `give --masters 1, ${bare}` })
  if (!lab.executable)
    throw new EdgeadmError('usage', 'the machines need an executable', {
      fix: `name one with --executable (npm run build makes it), ${bare}`,
    })
}

async function runEdgeadm(
  lab: LabState,
  machine: string,
  command: readonly string[],
  parallel: boolean,
  { emit, signal }: Reporting,
): Promise<void> {
  let failure: EdgeadmError | undefined
  const onLine = (line: string): void => {
    const event = parseEvent(line)
    if (!event) emit({ type: 'output', text: `${machine}: ${line}` })
    else if (event.type === 'error') failure = errorOf(machine, event)
    else forward(machine, event, parallel, emit)
  }
  const result = await probeInMachine(lab.name, machine, command, { signal, onLine })
  if (result.exitCode === 0) return
  throw (
    failure ??
    new EdgeadmError('phase', `edgeadm ${command[1]} failed in ${machine} with exit code ${result.exitCode}`)
  )
}

function parseEvent(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Event
  } catch {
    return undefined // a line of some other program, shown as it is
  }
}

function forward(machine: string, event: Event, parallel: boolean, emit: Reporting['emit']): void {
  switch (event.type) {
    case 'phase':
      emit({
        ...event,
        phase: `${machine}/${event.phase}`,
        title: `${machine}: ${event.title}`,
        ...(parallel && { background: true }),
      })
      break
    case 'change':
      emit({ ...event, phase: `${machine}/${event.phase}` })
      break
    case 'progress':
      if (!parallel) emit({ ...event, task: `${machine}: ${event.task}` })
      break
    case 'output':
    case 'warning':
      emit({ ...event, text: `${machine}: ${event.text}` })
      break
    default: // the machine's own run and result are not this run's
  }
}

function errorOf(machine: string, event: Event & { type: 'error' }): EdgeadmError {
  return new EdgeadmError(event.class satisfies ErrorClass, `${machine}: ${event.message}`, {
    ...(event.fix !== undefined && { fix: event.fix }),
    details: event.details,
  })
}
