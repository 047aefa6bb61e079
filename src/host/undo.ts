/** Takes back what the ledger recorded, newest first. What cannot be put back is named, never dropped. */

import { join } from 'node:path'
import { messageOf } from '../output/errors.ts'
import type { Output } from './host.ts'
import type { Before, Ledger, LedgerEntry } from './ledger.ts'
import type { Machine } from './machine.ts'
import { mountsBelow } from './mounts.ts'

/** Something that is not as it was before edgeadm, and why. */
export interface Residue {
  readonly what: string
  readonly why: string
}

/**
 * Plays the ledger backwards. Each entry that was taken back is marked, so an interrupted call can be repeated.
 * @param onEntry called before each entry
 */
export async function undoAll(
  machine: Machine,
  ledger: Ledger,
  onEntry: (entry: LedgerEntry, index: number, total: number) => void,
): Promise<Residue[]> {
  const residue: Residue[] = []
  const entries = (await ledger.entries()).reverse()
  for (const [index, entry] of entries.entries()) {
    onEntry(entry, index, entries.length)
    try {
      const left = await undoEntry(machine, ledger, entry)
      if (left === undefined) await ledger.markUndone(entry.id)
      else residue.push(left)
    } catch (error) {
      residue.push({ what: describe(entry), why: messageOf(error) })
    }
  }
  return residue
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

async function undoEntry(machine: Machine, ledger: Ledger, entry: LedgerEntry): Promise<Residue | undefined> {
  switch (entry.kind) {
    case 'file':
      await restore(machine, ledger, entry.path, entry.before)
      return undefined
    case 'directory':
      return removeOwnDirectory(machine, entry.path)
    case 'claim':
      await removeClaimed(machine, entry.path, entry.kept)
      return undefined
    case 'service':
      return restoreService(machine, entry)
    case 'sysctl':
      return failure(
        await machine.perform('sysctl', ['-q', '-w', `${entry.key}=${entry.before}`]),
        describe(entry),
      )
    case 'module':
      // Another user of the module may have come since; it then stays, and that is said.
      return failure(await machine.perform('modprobe', ['-r', entry.name]), describe(entry))
    case 'mount':
      return failure(await machine.perform('umount', [entry.target]), describe(entry))
    case 'run':
      return failure(await machine.perform(entry.undo.file, entry.undo.args), describe(entry))
  }
}

async function restore(machine: Machine, ledger: Ledger, path: string, before: Before): Promise<void> {
  const now = await machine.stat(path)
  if (before.type === 'absent') {
    if (now?.type === 'directory') await removeTree(machine, path)
    else if (now !== undefined) await machine.remove(path)
    return
  }
  if (before.type === 'symlink') {
    await machine.symlink(path, before.target)
    return
  }
  await machine.writeFile(path, await ledger.kept(before.content), before.mode)
  await machine.chown(path, before.uid, before.gid)
  await machine.setModified(path, before.modified)
}

async function removeOwnDirectory(machine: Machine, path: string): Promise<Residue | undefined> {
  if ((await machine.stat(path)) === undefined) return undefined
  const names = await machine.list(path)
  if (names.length > 0) return { what: path, why: `not empty: ${names.slice(0, 5).join(', ')}` }
  await machine.removeDirectory(path)
  return undefined
}

async function removeClaimed(machine: Machine, path: string, kept: readonly string[] | null): Promise<void> {
  if (kept === null) {
    await removeTree(machine, path)
    return
  }
  for (const name of await machine.list(path)) {
    if (!kept.includes(name)) await removeTree(machine, join(path, name))
  }
}

/** Removes a tree after unmounting what is mounted in it: removal never crosses into another file system. */
async function removeTree(machine: Machine, path: string): Promise<void> {
  const stat = await machine.stat(path)
  if (stat === undefined) return
  if (stat.type !== 'directory') {
    await machine.remove(path)
    return
  }
  const mountinfo = (await machine.readFile('/proc/self/mountinfo'))?.toString('utf8') ?? ''
  for (const target of mountsBelow(mountinfo, path)) {
    const output = await machine.perform('umount', [target])
    if (output.exitCode !== 0)
      throw new Error(`${target} is a mount point and cannot be unmounted: ${output.stderr}`)
  }
  const output = await machine.perform('rm', ['-rf', '--one-file-system', '--', path])
  if (output.exitCode !== 0) throw new Error(output.stderr)
}

async function restoreService(
  machine: Machine,
  entry: LedgerEntry & { kind: 'service' },
): Promise<Residue | undefined> {
  const exists = await machine.execute('systemctl', ['cat', entry.unit])
  if (exists.exitCode !== 0) return undefined
  for (const verb of [entry.before.enabled ? 'enable' : 'disable', entry.before.active ? 'start' : 'stop']) {
    const left = failure(await machine.perform('systemctl', [verb, entry.unit]), `unit ${entry.unit}`)
    if (left !== undefined) return left
  }
  return undefined
}

function failure(output: Output, what: string): Residue | undefined {
  if (output.exitCode === 0) return undefined
  return { what, why: output.stderr.trim() || output.stdout.trim() || `exit code ${output.exitCode}` }
}
