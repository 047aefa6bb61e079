/** How one entry of the ledger is taken back. Each is safe to repeat, and to do for a change that never came to happen. */

import { dirname, join } from 'node:path'
import type { Output } from './host.ts'
import { withoutOwn } from './kubeconfig-file.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Machine } from './machine.ts'
import { mountsBelow } from './mounts.ts'
import { restoreFile } from './restore-file.ts'
import { readServiceState, readSysctl } from './state.ts'
import { isTemporaryOf } from './temporary.ts'

/** Why it could not be taken back; undefined when it was. */
export type Reason = string | undefined

export async function undoEntry(machine: Machine, ledger: Ledger, entry: LedgerEntry): Promise<Reason> {
  switch (entry.kind) {
    case 'file':
      return restore(machine, ledger, entry)
    case 'directory':
      // The ledger's own directory goes last of all, when nothing more is to be read in it.
      return entry.path === ledger.directory ? undefined : removeOwnDirectory(machine, entry.path)
    case 'claim':
      return removeClaimed(machine, entry)
    case 'service':
      return quietService(machine, entry)
    case 'sysctl': {
      const now = await readSysctl(machine, entry.key)
      if (now === undefined || now === entry.before) return undefined
      return failure(await machine.perform('sysctl', ['-q', '-w', `${entry.key}=${entry.before}`]))
    }
    case 'module':
      // Not here: see `undoAll`.
      return undefined
    case 'mount': {
      const mounted = await machine.execute('mountpoint', ['-q', entry.target])
      return mounted.exitCode === 0 ? failure(await machine.perform('umount', [entry.target])) : undefined
    }
    case 'run': {
      const { unless, file, args } = entry.undo
      if (unless !== undefined && (await machine.execute(unless.file, unless.args)).exitCode === 0)
        return undefined
      return failure(await machine.perform(file, args))
    }
  }
}

async function restore(
  machine: Machine,
  ledger: Ledger,
  entry: LedgerEntry & { kind: 'file' },
): Promise<Reason> {
  const { path, before } = entry
  for (const name of await machine.list(dirname(path)))
    if (isTemporaryOf(path, name)) await machine.remove(join(dirname(path), name))
  const now = await machine.stat(path)
  if (before.type === 'absent' && entry.format === 'kubeconfig' && now?.type === 'file')
    return takeOutOfKubeconfig(machine, ledger, entry)
  if (before.type === 'absent') {
    if (now?.type === 'directory') await removeTree(machine, path)
    else if (now !== undefined) await machine.remove(path)
    return undefined
  }
  if (entry.kept === true && now !== undefined) return undefined
  if (now?.type === 'directory' && before.type !== 'directory')
    return 'there is a directory now where a file was'
  await makeParents(machine, dirname(path))
  switch (before.type) {
    case 'symlink':
      if (now?.type !== 'symlink' || (await machine.readLink(path)) !== before.target)
        await machine.symlink(path, before.target)
      return undefined
    case 'directory':
      if (now !== undefined && now.type !== 'directory') await machine.remove(path)
      if (now?.type !== 'directory') await machine.makeDirectory(path, before.mode)
      await machine.chmod(path, before.mode)
      await machine.chown(path, before.uid, before.gid)
      return undefined
    case 'file':
      return restoreFile(machine, ledger, { ...entry, before })
  }
}

/** What others added to it stays, and so does the file then. */
async function takeOutOfKubeconfig(
  machine: Machine,
  ledger: Ledger,
  { path, after }: LedgerEntry & { kind: 'file' },
): Promise<Reason> {
  const current = (await machine.readFile(path)) ?? Buffer.alloc(0)
  const written = after === undefined ? current : await ledger.kept(after)
  if (current.equals(written)) return void (await machine.remove(path))
  const rest = withoutOwn(current.toString('utf8'), written.toString('utf8'))
  if (rest === undefined) await machine.remove(path)
  else await machine.writeFile(path, rest, 0o600)
  return undefined
}

async function makeParents(machine: Machine, path: string): Promise<void> {
  if ((await machine.stat(path)) !== undefined) return
  await makeParents(machine, dirname(path))
  await machine.makeDirectory(path, 0o755)
}

async function removeOwnDirectory(machine: Machine, path: string): Promise<Reason> {
  if ((await machine.stat(path)) === undefined) return undefined
  const names = await machine.list(path)
  if (names.length > 0) return `not empty: ${names.slice(0, 5).join(', ')}`
  await machine.removeDirectory(path)
  return undefined
}

async function removeClaimed(machine: Machine, entry: LedgerEntry & { kind: 'claim' }): Promise<undefined> {
  if (entry.kept === null) await removeTree(machine, entry.path)
  else await removeUnless(machine, entry.path, '', new Set(entry.kept), entry.deep === true)
}

async function removeUnless(
  machine: Machine,
  root: string,
  below: string,
  kept: ReadonlySet<string>,
  deep: boolean,
): Promise<void> {
  for (const name of await machine.list(join(root, below))) {
    const relative = join(below, name)
    const path = join(root, relative)
    if (!kept.has(relative)) await removeTree(machine, path)
    else if (deep && (await machine.stat(path))?.type === 'directory')
      await removeUnless(machine, root, relative, kept, deep)
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

/**
 * Targets are points in time for all units, not edgeadm's: stopping or restarting one does the same to every unit that
 * requires it (systemd.unit(5), Requires=).
 */
export const isTarget = (unit: string): boolean => unit.endsWith('.target')

/** Only what has to end; what has to run again waits until its files are back: see `reviveServices`. */
async function quietService(machine: Machine, entry: LedgerEntry & { kind: 'service' }): Promise<Reason> {
  if (isTarget(entry.unit)) return undefined
  const now = await readServiceState(machine, entry.unit)
  for (const [verb, isNeeded] of [
    ['stop', now.active && !entry.before.active],
    ['disable', now.enabled && !entry.before.enabled],
  ] as const) {
    const left = isNeeded ? failure(await machine.perform('systemctl', [verb, entry.unit])) : undefined
    if (left !== undefined) return left
  }
  return undefined
}

export function failure(output: Output): Reason {
  if (output.exitCode === 0) return undefined
  return output.stderr.trim() || output.stdout.trim() || `exit code ${output.exitCode}`
}
