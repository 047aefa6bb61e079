/** Many light machines, their inventory, and the controller as the program that users run. */

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pLimit from 'p-limit'
import type { Event } from '../../../src/output/events.ts'
import {
  inventoryHead,
  type LightFleet,
  type LightMachine,
  type LightOptions,
  lightFleet,
} from '../../fleet/light-machine.ts'

export const EXECUTABLE = process.env.EDGEADM as string

export interface BenchHost {
  readonly name: string
  readonly role: 'master' | 'worker' | 'edge'
  readonly address: string
  readonly port: number
  readonly site?: string
  /** Further fields of ssh, as YAML: "user: x". */
  readonly ssh?: string
}

/** Boots machines, some at a time. */
export async function startAll(
  fleet: LightFleet,
  names: readonly string[],
  optionsOf: (name: string) => LightOptions = () => ({}),
): Promise<Map<string, LightMachine>> {
  const limit = pLimit(8)
  const machines = await Promise.all(
    names.map((name, index) =>
      limit(() =>
        fleet.start(name, { address: `127.20.${index >> 7}.${(index & 127) + 1}`, ...optionsOf(name) }),
      ),
    ),
  )
  return new Map(machines.map((machine) => [machine.name, machine]))
}

/** A fleet that is removed at the end, also with Ctrl-C. */
export async function withFleet<T>(use: (fleet: LightFleet) => Promise<T>): Promise<T> {
  const fleet = lightFleet(21_000)
  const end = () => void fleet.stop().then(() => process.exit(130))
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    return await use(fleet)
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
    await fleet.stop()
  }
}

/** Writes the inventory. @returns its path */
export function writeInventory(fleet: LightFleet, hosts: readonly BenchHost[], package_: string): string {
  const file = join(fleet.directory, 'cluster.yaml')
  const sites = [...new Set(hosts.flatMap(({ site }) => site ?? []))]
  const known = join(fleet.directory, 'known_hosts')
  const names = hosts.map(({ address, port }) => `[${address}]:${port}`)
  writeFileSync(known, names.map((name) => `${name} ${fleet.hostKey}\n`).join(''))
  const head = inventoryHead(fleet).map((line) =>
    line.startsWith('  package:')
      ? `  package: ${package_}`
      : line.replace(/, hostKey: .*\}$/, `, knownHosts: ${known}}`),
  )
  const entries = hosts.map(
    ({ name, role, address, port, site, ssh }) =>
      `    - {name: ${name}, role: ${role}, address: ${address}, nodeAddress: ${address}, ${site === undefined ? '' : `site: ${site}, `}ssh: {port: ${port}${ssh === undefined ? '' : `, ${ssh}`}}}`,
  )
  writeFileSync(
    file,
    [
      ...head,
      `  sites: [${sites.map((name) => `{name: ${name}}`).join(', ')}]`,
      '  rollout: {maxFailures: 100%}',
      '  hosts:',
      ...entries,
      '',
    ].join('\n'),
  )
  return file
}

export interface Applied {
  readonly seconds: number
  /** Of processor time, user and system. */
  readonly busy: number
  /** Peak resident memory, MiB. */
  readonly memory: number
  readonly outcomes: ReadonlyMap<string, { readonly state: string; readonly text: string }>
  readonly bytes: { readonly sent: number; readonly relayed: number } | undefined
  readonly events: readonly Event[]
}

const run = promisify(execFile)

/** `edgeadm apply`: the executable, with its time and memory. @throws if it ends without a result */
export async function applyWith(
  fleet: LightFleet,
  file: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Applied> {
  const figures = join(fleet.directory, 'time')
  const words = ['-o', figures, '-f', '%M %U %S', EXECUTABLE, 'apply', '-f', file, '--yes', '--output=json']
  const env = { ...process.env, ...environment, XDG_CACHE_HOME: fleet.directory, SSH_AUTH_SOCK: '' }
  const begun = performance.now()
  const { stdout, stderr } = await run('/usr/bin/time', words, { env, maxBuffer: 1 << 30 }).catch(
    (error) => error,
  )
  const seconds = (performance.now() - begun) / 1000
  const events = String(stdout)
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : []))
  const result = events.find((event) => event.type === 'result' && event.host === undefined)
  if (result?.type !== 'result')
    throw new Error(`apply has no result:\n${stderr}\n${String(stdout).slice(-3000)}`)
  const { hosts, bytes } = result.data as {
    hosts: readonly { host: string; state: string; text: string }[]
    bytes?: Applied['bytes']
  }
  // With an exit code that is not 0, time writes that first.
  const [memory = 0, user = 0, system = 0] = (readFileSync(figures, 'utf8').trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number)
  return {
    seconds,
    busy: user + system,
    memory: memory / 1024,
    outcomes: new Map(hosts.map(({ host, ...outcome }) => [host, outcome])),
    bytes,
    events,
  }
}
