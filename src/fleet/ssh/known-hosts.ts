/** known_hosts files as OpenSSH reads them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): hashed names, patterns, `@revoked`. */

import { createHash, createHmac } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'

export interface HostKeyEntry {
  /** `ssh-ed25519` and the like. */
  readonly type: string
  /** Base64, as it stands in the file. */
  readonly key: string
  readonly revoked: boolean
  /** `/root/.ssh/known_hosts:12`. */
  readonly where: string
}

/** The name under which a host is looked up: with its port unless that is 22. */
export function lookupName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

/** Entries of the files for any of the names. A file that is not there has none; `@cert-authority` lines are left out: ssh2 knows no certificates. */
export async function hostKeysFor(
  names: readonly string[],
  files: readonly string[],
): Promise<HostKeyEntry[]> {
  const found: HostKeyEntry[] = []
  for (const file of files)
    for (const entry of await entriesOf(file))
      if (names.some((name) => matches(entry.patterns, name))) found.push(entry)
  return found
}

type Line = HostKeyEntry & { readonly patterns: string }

/** As they were read last: many hosts ask for the same file. */
const read = new Map<string, { readonly version: string; readonly lines: readonly Line[] }>()

async function entriesOf(file: string): Promise<readonly Line[]> {
  const absent = (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
  const found = await stat(file, { bigint: true }).catch(absent)
  if (found === undefined) return []
  const version = `${found.ino} ${found.size} ${found.mtimeNs}`
  const known = read.get(file)
  if (known?.version === version) return known.lines
  const text = (await readFile(file, 'utf8').catch(absent)) ?? ''
  const lines = text.split('\n').flatMap((line, index) => parseLine(line, `${file}:${index + 1}`) ?? [])
  read.set(file, { version, lines })
  return lines
}

function parseLine(line: string, where: string): Line | undefined {
  const words = line.trim().split(/\s+/)
  if (line.trim() === '' || line.trimStart().startsWith('#')) return undefined
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  const [patterns, type, key] = words
  if (patterns === undefined || type === undefined || key === undefined) return undefined
  if (marker !== undefined && marker !== '@revoked') return undefined
  return { patterns, type, key, revoked: marker === '@revoked', where }
}

/** One that is negated and matches excludes the line, whatever the others say. */
function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith('|1|')) return matchesHash(patterns, name)
  let matched = false
  for (const pattern of patterns.toLowerCase().split(',')) {
    if (pattern.startsWith('!') && fits(pattern.slice(1), name)) return false
    if (!pattern.startsWith('!') && fits(pattern, name)) matched = true
  }
  return matched
}

function matchesHash(hashed: string, name: string): boolean {
  const [, , salt, hash] = hashed.split('|')
  if (salt === undefined || hash === undefined) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

/** Most patterns are names: a regular expression for each line of a long file would fill the memory. */
function fits(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name)
}

/** `SHA256:…`, as ssh-keygen -l shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The algorithm's name is the first string of a key's blob (RFC 4253, 6.6). */
export function keyType(blob: Buffer): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')
}
