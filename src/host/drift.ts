/** What of the ledger's subjects is no longer as edgeadm left it. Only looks. */

import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Machine } from './machine.ts'
import { readSysctl } from './state.ts'
import { ABSENT, fingerprint, isFingerprint, LINK, sizeFingerprint } from './still-ours.ts'
import { describe } from './undo.ts'

export interface Drift {
  readonly what: string
  readonly why: string
  /** The distribution's package that the file belongs to, or the file's owner where that is not root. */
  readonly owner?: string
}

export async function findDrift(machine: Machine, ledger: Ledger): Promise<Drift[]> {
  const latest = new Map((await ledger.entries()).map((entry) => [describe(entry), entry]))
  const found: Drift[] = []
  for (const [what, entry] of latest) {
    const why = await difference(machine, ledger, entry)
    if (why === undefined) continue
    const owner = entry.kind === 'file' ? await ownerOf(machine, entry.path) : undefined
    found.push({ what, why, ...(owner === undefined ? {} : { owner }) })
  }
  return found
}

async function difference(machine: Machine, ledger: Ledger, entry: LedgerEntry): Promise<string | undefined> {
  switch (entry.kind) {
    case 'file':
      return fileDifference(machine, ledger, entry)
    case 'sysctl': {
      const now = await readSysctl(machine, entry.key)
      const isSame = entry.after === undefined || now === undefined || now === entry.after
      return isSame ? undefined : `it is ${now}, and edgeadm had set it to ${entry.after}`
    }
    case 'module':
      return (await machine.stat(`/sys/module/${entry.name}`)) === undefined
        ? 'it is not loaded any more'
        : undefined
    case 'mount':
      return (await machine.execute('mountpoint', ['-q', entry.target])).exitCode === 0
        ? undefined
        : 'it is not mounted any more'
    case 'directory':
      return (await machine.stat(entry.path)) === undefined ? 'it is gone' : undefined
    case 'claim':
    case 'service':
    case 'run':
      // What other programs made, and what ran once: nothing on record says how it has to be.
      return undefined
  }
}

async function fileDifference(
  machine: Machine,
  ledger: Ledger,
  { path, after, kept }: LedgerEntry & { kind: 'file' },
): Promise<string | undefined> {
  if (kept === true || after === undefined) return undefined
  const stat = await machine.stat(path)
  if (after === ABSENT) return stat === undefined ? undefined : 'it is there again'
  if (stat === undefined) return 'it is gone'
  if (after === LINK) return stat.type === 'symlink' ? undefined : 'it is no link any more'
  if (stat.type !== 'file') return 'it is no file any more'
  if (after.startsWith('size:'))
    return sizeFingerprint(stat.size) === after ? undefined : `it has ${stat.size} bytes now, another program`
  const content = (await machine.readFile(path)) ?? Buffer.alloc(0)
  const isSame = isFingerprint(after)
    ? fingerprint(content) === after
    : content.equals(await ledger.kept(after))
  return isSame ? undefined : 'its contents are not what edgeadm wrote'
}

async function ownerOf(machine: Machine, path: string): Promise<string | undefined> {
  const debian = await machine.execute('dpkg-query', ['--search', path])
  if (debian.exitCode === 0) return `package ${debian.stdout.split(':')[0]}`
  const rpm = await machine.execute('rpm', ['--query', '--file', path])
  if (rpm.exitCode === 0) return `package ${rpm.stdout.split('\n')[0]}`
  const stat = await machine.stat(path)
  return stat === undefined || stat.uid === 0 ? undefined : `user ${stat.uid}`
}
