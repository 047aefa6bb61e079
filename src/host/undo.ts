/** Takes back what the ledger recorded, newest first. What cannot be put back is named, never dropped. */

import { messageOf } from '../output/errors.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Machine } from './machine.ts'
import { readServiceState } from './state.ts'
import { changedSince, RESTARTED } from './still-ours.ts'
import { failure, isTarget, type Reason, undoEntry } from './undo-entry.ts'

/** Something that is not as it was before edgeadm, and why. */
export interface Residue {
  readonly what: string
  readonly why: string
  /** Not on this machine: another reset here would not find it either. */
  readonly elsewhere?: true
  /** Somebody changed it after edgeadm did: it stays as they want it, and another reset has nothing to do with it. */
  readonly theirs?: true
}

export interface UndoOptions {
  readonly signal: AbortSignal
  /** Called before each entry; an entry that had to wait for a later one comes again. */
  readonly onEntry: (entry: LedgerEntry) => void
}

type ServiceEntry = LedgerEntry & { kind: 'service' }

/**
 * Plays the ledger backwards. Each entry that was taken back is marked, so an interrupted call can be repeated. What fails
 * is tried again after the rest, as long as that helps: a directory that was made after it had been claimed is empty only
 * once the claim is settled. Kernel modules are left to reset's phase node/modules, which knows what is built on them.
 */
export async function undoAll(machine: Machine, ledger: Ledger, options: UndoOptions): Promise<Residue[]> {
  const entries = (await ledger.entries()).filter(({ kind }) => kind !== 'module').reverse()
  const services = entries.filter((entry): entry is ServiceEntry => entry.kind === 'service')
  const isDeferred = (entry: LedgerEntry): boolean =>
    entry.kind === 'service' && (entry.before.active || entry.before.enabled)
  let left = new Map<LedgerEntry, string>()
  const theirs: Residue[] = []
  const keptPaths: string[] = []
  let pending = entries
  do {
    left = await pass(machine, pending, options, async (entry) => {
      const changed = await changedSince(machine, ledger, entry)
      if (changed !== undefined) {
        if (!theirs.some(({ what }) => what === describe(entry)))
          theirs.push({ what: describe(entry), why: `it stays, since ${changed}`, theirs: true })
        if (entry.kind === 'file') keptPaths.push(entry.path)
        await ledger.markTheirs(entry.id)
        return undefined
      }
      const why = await undoEntry(machine, ledger, entry)
      if (
        entry.kind === 'file' &&
        entry.format !== undefined &&
        (await machine.stat(entry.path)) !== undefined
      ) {
        theirs.push({
          what: entry.path,
          why: "it stays, since others added to it; only edgeadm's part is gone",
          theirs: true,
        })
        keptPaths.push(entry.path)
        await ledger.markTheirs(entry.id)
        return undefined
      }
      // A directory that edgeadm made for a file that is somebody else's by now is theirs, too.
      if (
        why !== undefined &&
        entry.kind === 'directory' &&
        keptPaths.some((path) => path.startsWith(`${entry.path}/`))
      ) {
        await ledger.markTheirs(entry.id)
        return undefined
      }
      if (why === undefined && !isDeferred(entry)) await ledger.markUndone(entry.id)
      return why
    })
    if (left.size === pending.length) break
    pending = [...left.keys()]
  } while (pending.length > 0)
  await reviveServices(machine, services, entries, ledger, left)
  return [...theirs, ...[...left].map(([entry, why]) => ({ what: describe(entry), why }))]
}

async function pass(
  machine: Machine,
  entries: readonly LedgerEntry[],
  { signal, onEntry }: UndoOptions,
  undo: (entry: LedgerEntry) => Promise<Reason>,
): Promise<Map<LedgerEntry, string>> {
  const left = new Map<LedgerEntry, string>()
  for (const entry of entries) {
    signal.throwIfAborted()
    onEntry(entry)
    try {
      const why = await undo(entry)
      if (why !== undefined) left.set(entry, why)
    } catch (error) {
      signal.throwIfAborted()
      left.set(entry, messageOf(error))
    }
  }
  if (entries.length > 0) await machine.perform('systemctl', ['daemon-reload'])
  return left
}

/** Units that ran or were enabled before edgeadm, now that their files are as they were. `services` newest first. */
async function reviveServices(
  machine: Machine,
  services: readonly ServiceEntry[],
  entries: readonly LedgerEntry[],
  ledger: Ledger,
  left: Map<LedgerEntry, string>,
): Promise<void> {
  const oldest = new Map(services.map((entry) => [entry.unit, entry]))
  for (const entry of oldest.values()) {
    const { unit, before } = entry
    if (isTarget(unit)) {
      for (const one of services) if (one.unit === unit) await ledger.markUndone(one.id)
      continue
    }
    if ((await machine.execute('systemctl', ['is-failed', unit])).exitCode === 0)
      await machine.perform('systemctl', ['reset-failed', unit])
    if (!before.active && !before.enabled) continue
    const now = await readServiceState(machine, unit)
    const commands = [
      ...(before.enabled && !now.enabled ? ['enable'] : []),
      // Where it runs on edgeadm's files, or edgeadm restarted it for its own sake. Others run on untouched.
      ...(before.active && now.active && ranOnOurs(entry, entries) ? ['restart'] : []),
      ...(before.active && !now.active ? ['start'] : []),
    ]
    let why: Reason
    for (const verb of commands) why ??= failure(await machine.perform('systemctl', [verb, unit]))
    if (why !== undefined) left.set(entry, why)
    else if (!left.has(entry))
      for (const one of services) if (one.unit === unit) await ledger.markUndone(one.id)
  }
}

/** @param entries whose files are put back now */
function ranOnOurs({ unit, after }: ServiceEntry, entries: readonly LedgerEntry[]): boolean {
  const isOfUnit = (path: string): boolean => path.endsWith(`/${unit}`) || path.includes(`/${unit}.d/`)
  return (
    after === RESTARTED ||
    entries.some((entry) => entry.kind === 'file' && entry.kept !== true && isOfUnit(entry.path))
  )
}

/** What an entry stands for, in words. */
export function describe(entry: LedgerEntry): string {
  switch (entry.kind) {
    case 'file':
    case 'directory':
    case 'claim':
      return entry.path
    case 'service':
      return `unit ${entry.unit}`
    case 'sysctl':
      return `sysctl ${entry.key}`
    case 'module':
      return `kernel module ${entry.name}`
    case 'mount':
      return `mount ${entry.target}`
    case 'run':
      return entry.title
  }
}

/** What reset does about an entry: an action and its target, as events have them. */
export function planOf(entry: LedgerEntry): { action: string; target: string } {
  const target = describe(entry)
  switch (entry.kind) {
    case 'file':
      return { action: entry.before.type === 'absent' ? 'remove' : 'restore', target }
    case 'directory':
      return { action: 'remove directory', target }
    case 'claim':
      return entry.kept === null
        ? { action: 'remove', target }
        : { action: 'remove what is new in', target: `${target} (${entry.kept.length} entries stay)` }
    case 'service': {
      const { active, enabled } = entry.before
      const state = `${active ? 'running' : 'stopped'} and ${enabled ? 'enabled' : 'not enabled'}`
      return { action: 'restore', target: `${target}: ${state}` }
    }
    case 'sysctl':
      return { action: 'restore', target: `${target} = ${entry.before}` }
    case 'module':
      return { action: 'unload', target }
    case 'mount':
      return { action: 'unmount', target: entry.target }
    case 'run':
      return { action: 'take back', target: `${target}: ${[entry.undo.file, ...entry.undo.args].join(' ')}` }
  }
}
