/** What is on disk about labs: which there are, of which machines. */

import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { EdgeadmError } from '../output/errors.ts'
import { nearest } from '../output/nearest.ts'
import type { BaseImage } from './base-image.ts'
import type { MachineSpec } from './names.ts'
import { checkLabName } from './names.ts'
import { DEFAULT_LAB, labDirectory, labFile, STATE_ROOT } from './paths.ts'
import type { ProcessIdentity } from './processes.ts'

export interface LabState {
  readonly schema: 'edgeadm.io/lab/v1alpha1'
  readonly name: string
  /** RFC 3339, UTC. */
  readonly created: string
  readonly machines: readonly MachineSpec[]
  /** The base image that the machines were copied from. */
  readonly baseImage: BaseImage
  /** Absolute path on the host; seen in the machines as /usr/local/bin/edgeadm. */
  readonly executable?: string
  /** Absolute path on the host; seen in the machines under /root. */
  readonly package?: string
  /** The process that will delete the lab (a test run); once it is gone, the lab is left over. */
  readonly owner?: ProcessIdentity
}

/** Takes the name: two at once cannot both get it. @throws {EdgeadmError} class `preflight` if there is such a lab */
export async function reserveLab(name: string): Promise<void> {
  checkLabName(name)
  await mkdir(STATE_ROOT, { recursive: true, mode: 0o755 })
  try {
    // Root alone: a set-uid file made in a machine must be out of reach for the host's users.
    await mkdir(labDirectory(name), { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new EdgeadmError('preflight', `there is already a lab called ${name}`, {
      fix: `give another name, or remove it with: edgeadm lab delete ${name}`,
    })
  }
}

export async function writeLab(state: LabState): Promise<void> {
  const file = labFile(state.name)
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`)
  await rename(`${file}.new`, file)
}

/** Names of all labs, finished or not, sorted. */
export async function labNames(): Promise<string[]> {
  try {
    const entries = await readdir(STATE_ROOT, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Undefined for a lab whose creation was cut short before its machines were written down. */
export async function readLabIfComplete(name: string): Promise<LabState | undefined> {
  try {
    return JSON.parse(await readFile(labFile(name), 'utf8')) as LabState
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** @throws {EdgeadmError} class `usage` for an unknown lab */
export async function readLab(name: string): Promise<LabState> {
  const state = await readLabIfComplete(name)
  if (state) return state
  const names = await labNames()
  if (names.includes(name))
    throw new EdgeadmError('preflight', `the lab ${name} was never finished`, {
      fix: `edgeadm lab delete ${name}`,
    })
  throw new EdgeadmError('usage', `there is no lab called ${name}`, {
    fix: names.length === 0 ? 'make one: edgeadm lab create' : `there are: ${names.join(', ')}`,
  })
}

/** The lab that is meant when none is named: the only one, or `quickstart`. @throws {EdgeadmError} class `usage` */
export async function defaultLab(): Promise<string> {
  const names = await labNames()
  if (names.includes(DEFAULT_LAB) || names.length === 0) return DEFAULT_LAB
  if (names.length === 1 && names[0]) return names[0]
  throw new EdgeadmError('usage', 'there are several labs', { fix: `choose with --lab: ${names.join(', ')}` })
}

/** @throws {EdgeadmError} class `usage`, with the names that come closest */
export function machineOf(lab: LabState, name: string): MachineSpec {
  const machine = lab.machines.find((candidate) => candidate.name === name)
  if (machine) return machine
  const names = lab.machines.map((candidate) => candidate.name)
  const close = nearest(name, names)
  throw new EdgeadmError('usage', `the lab ${lab.name} has no machine called ${name}`, {
    fix: close ? `did you mean ${close}? It has: ${names.join(', ')}` : `it has: ${names.join(', ')}`,
  })
}
