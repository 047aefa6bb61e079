/**
 * The policy of undo, in one place: is it edgeadm's (the ledger says so)? Is it as edgeadm left it? Then reset puts it back.
 * Else somebody changed it since: it is theirs now, it stays, and reset names it. Beside each kind of entry stands how the
 * second question is answered.
 */

import { createHash } from 'node:crypto'
import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Machine } from './machine.ts'
import { readSysctl } from './state.ts'

/** What is on record of contents that need no copy: their hash, or of large files from the package their size. */
export const fingerprint = (content: Uint8Array): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`
/** How a path is left that edgeadm removed, or made a link. */
export const ABSENT = 'absent'
export const LINK = 'link'
/** How a unit is left that ran before edgeadm and was restarted by it. */
export const RESTARTED = 'restarted'
export const sizeFingerprint = (bytes: number): string => `size:${bytes}`

/**
 * Undefined: it is as edgeadm left it, or as it was before edgeadm, or nothing is known of how it was left. Else what is
 * different, in words.
 */
export async function changedSince(
  machine: Machine,
  ledger: Ledger,
  entry: LedgerEntry,
): Promise<string | undefined> {
  switch (entry.kind) {
    case 'sysctl':
      return changedSysctl(machine, ledger, entry)
    case 'file':
      return changedFile(machine, ledger, entry)
    case 'service':
      // Targets are shared by all units: whoever wants one starts it, and nobody stops it.
      return undefined
    case 'directory':
    case 'claim':
    case 'module':
    case 'mount':
    case 'run':
      // Their undo looks at the state itself: an empty directory, a module without users, a mounted target.
      return undefined
  }
}

/** Setting one of them sets `forwarding` of all devices, by the kernel (Documentation/networking/ip-sysctl.rst). */
const FORWARDING = { ipv4: 'net.ipv4.ip_forward', ipv6: 'net.ipv6.conf.all.forwarding' }

async function changedSysctl(
  machine: Machine,
  ledger: Ledger,
  { key, before, after }: LedgerEntry & { kind: 'sysctl' },
): Promise<string | undefined> {
  const now = await readSysctl(machine, key)
  if (now === undefined || now === before) return undefined
  const [, family] = /^net\/(ipv4|ipv6)\/conf\/.+\/forwarding$/.exec(key) ?? []
  const main = family === undefined ? undefined : FORWARDING[family as keyof typeof FORWARDING]
  const isMainTheirs = (entry: LedgerEntry): boolean =>
    entry.kind === 'sysctl' && entry.key === main && entry.isTheirs === true
  if (main !== undefined && (await ledger.history()).some(isMainTheirs)) return `it belongs to ${main}`
  if (after !== undefined && now !== after)
    return `it is ${now} now, and edgeadm had set it to ${after} (before: ${before})`
  const file = await settingFile(machine, key, now)
  return file === undefined ? undefined : `${file} wants it to be ${now}`
}

const SYSCTL_DIRECTORIES = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d']
/** Edgeadm's own names; see node/sysctl. */
const OWN_FILE = /edgeadm/

/** The file of somebody else that sets this parameter to this value at boot (sysctl.d(5)). */
async function settingFile(machine: Machine, key: string, value: string): Promise<string | undefined> {
  const paths = ['/etc/sysctl.conf']
  for (const directory of SYSCTL_DIRECTORIES)
    for (const name of await machine.list(directory))
      if (name.endsWith('.conf') && !OWN_FILE.test(name)) paths.push(`${directory}/${name}`)
  const name = (text: string): string => text.trim().replace(/^-/, '').replaceAll('/', '.')
  for (const path of paths) {
    const lines = ((await machine.readFile(path))?.toString('utf8') ?? '').split('\n')
    for (const line of lines) {
      const [left = '', right] = line.split('=')
      if (right !== undefined && name(left) === name(key) && right.trim().replace(/\s+/g, ' ') === value)
        return path
    }
  }
  return undefined
}

/**
 * Of files that edgeadm made. Those that it found and changed are merged: see restore-file.ts. Edge programs rewrite files in
 * directories that are edgeadm's as a whole (claimed), so those go with their directory, whatever they hold.
 */
async function changedFile(
  machine: Machine,
  ledger: Ledger,
  entry: LedgerEntry & { kind: 'file' },
): Promise<string | undefined> {
  const { path, before, after, format } = entry
  if (before.type !== 'absent' || after === undefined || format !== undefined) return undefined
  const stat = await machine.stat(path)
  if (stat?.type !== 'file') return undefined
  if (after.startsWith('size:')) {
    if (sizeFingerprint(stat.size) === after) return undefined
  } else {
    const content = (await machine.readFile(path)) ?? Buffer.alloc(0)
    const isSame = isFingerprint(after)
      ? fingerprint(content) === after
      : content.equals(await ledger.kept(after))
    if (isSame) return undefined
  }
  return (await ledger.isClaimed(path)) ? undefined : 'its contents are not what edgeadm wrote'
}

/** Or else the name of a copy. */
export const isFingerprint = (after: string): boolean => /^(sha256:|size:|absent$|link$)/.test(after)
