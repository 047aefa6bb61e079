/** What a machine changed in its file system since it had booted for the first time. */

import { existsSync } from 'node:fs'
import { EdgeadmError } from '../output/errors.ts'
import { machinePaths } from './paths.ts'
import {
  type FileState,
  type KnownContent,
  readSnapshot,
  type Snapshot,
  takeSnapshot,
  writeSnapshot,
} from './snapshot.ts'
import { type LabState, machineOf, readLab } from './state.ts'

export type Aspect = 'type' | 'content' | 'mode' | 'owner'

export interface Difference {
  readonly kind: 'added' | 'changed' | 'removed'
  /** A directory that was added or removed stands for all that is in it. */
  readonly path: string
  /** What of a changed file differs. A directory's own time does not count, nor does a file's with the same content. */
  readonly aspects: readonly Aspect[]
  /** How many files an added or removed directory stands for, itself included; otherwise 1. */
  readonly count: number
}

/** Takes the state to compare with, once: later boots do not move it. */
export async function writeBaseline(lab: LabState, machine: string): Promise<void> {
  const { root, baseline } = machinePaths(lab.name, machine)
  if (existsSync(baseline)) return
  const base = await readSnapshot(lab.baseImage.snapshot)
  await writeSnapshot(baseline, await takeSnapshot(root, copiedFrom(base)))
}

/** Files copied from the base image keep its size and time of modification: their hash is known. */
function copiedFrom(base: Snapshot | undefined): KnownContent {
  return (path, state) => {
    const original = base?.get(path)
    const isCopy =
      original?.type === 'file' &&
      state.type === 'file' &&
      original.size === state.size &&
      original.mtime === state.mtime
    return isCopy ? original.content : undefined
  }
}

/** Works for machines that are switched off, too. @throws {EdgeadmError} class `usage`, `preflight` */
export async function diffMachine(lab: string, name: string): Promise<Difference[]> {
  const machine = machineOf(await readLab(lab), name)
  const { root, baseline } = machinePaths(lab, machine.name)
  const before = await readSnapshot(baseline)
  if (!before)
    throw new EdgeadmError('preflight', `the machine ${name} of lab ${lab} has never finished booting`)
  return compare(before, await takeSnapshot(root, untouchedSince(before)))
}

/** The kernel moves a file's ctime with each change and lets nobody set it back. */
function untouchedSince(before: Snapshot): KnownContent {
  return (path, state) => {
    const old = before.get(path)
    return old && old.inode === state.inode && old.ctime === state.ctime ? old.content : undefined
  }
}

export function compare(before: Snapshot, after: Snapshot): Difference[] {
  const added = collapse([...after.keys()].filter((path) => !before.has(path)))
  const removed = collapse([...before.keys()].filter((path) => !after.has(path)))
  const differences: Difference[] = [
    ...added.map((entry) => ({ kind: 'added', aspects: [], ...entry }) as const),
    ...removed.map((entry) => ({ kind: 'removed', aspects: [], ...entry }) as const),
  ]
  for (const [path, now] of after) {
    const old = before.get(path)
    const aspects = old ? differingAspects(old, now) : []
    if (aspects.length > 0) differences.push({ kind: 'changed', path, aspects, count: 1 })
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function differingAspects(old: FileState, now: FileState): Aspect[] {
  const aspects: Aspect[] = []
  if (old.type !== now.type) aspects.push('type')
  else if (old.content !== now.content) aspects.push('content')
  // A symbolic link has no mode of its own.
  if (old.mode !== now.mode && now.type !== 'symlink') aspects.push('mode')
  if (old.uid !== now.uid || old.gid !== now.gid) aspects.push('owner')
  return aspects
}

/** Only the topmost of what was added or removed together. Paths come with each directory before what is in it. */
function collapse(paths: readonly string[]): { path: string; count: number }[] {
  const tops: { path: string; count: number }[] = []
  for (const path of paths) {
    const top = tops.at(-1)
    if (top && path.startsWith(`${top.path}/`)) top.count += 1
    else tops.push({ path, count: 1 })
  }
  return tops
}
