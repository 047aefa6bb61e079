/** Whether a server is the one that is meant. Strict: a host whose key nobody vouches for is not spoken to. */

import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EdgeadmError } from '../../output/errors.ts'
import { fingerprint, type HostKeyEntry, hostKeysFor, keyType, lookupName } from './known-hosts.ts'
import type { Target } from './target.ts'

export interface HostKeyCheck {
  /** Algorithms that the server is asked for: those of the keys that are known. Undefined: ssh2's. */
  readonly algorithms: readonly string[] | undefined
  /** For ssh2. It answers at once; why it was false is in {@link refusal}. */
  verify(blob: Buffer): boolean
  /** Why the key was refused; undefined: it was not. */
  refusal(): EdgeadmError | undefined
  /** To be called in the authenticated connection: writes down a key that was accepted because it was the first. */
  learn(): Promise<void>
}

/** @param acceptNew a host that no file knows is believed, and written down */
export async function hostKeyCheck(target: Target, acceptNew: boolean): Promise<HostKeyCheck> {
  const { hostKey, knownHosts } = target
  const name = lookupName(target.hostKeyAlias ?? target.host, target.port)
  const names = target.hostKeyAlias === undefined ? [name] : [name, target.hostKeyAlias.toLowerCase()]
  const entries: readonly HostKeyEntry[] =
    hostKey === undefined ? await hostKeysFor(names, knownHosts) : [given(hostKey)]
  const revoked = entries.filter((entry) => entry.revoked)
  const known = entries.filter((entry) => !entry.revoked)
  let refusal: EdgeadmError | undefined
  let learned: Buffer | undefined
  return {
    algorithms: known.length === 0 ? undefined : algorithmsOf(known),
    verify(blob) {
      const key = blob.toString('base64')
      const bad = revoked.find((entry) => entry.key === key)
      if (bad !== undefined) refusal = revokedKey(target, blob, bad)
      else if (known.some((entry) => entry.key === key)) return true
      else if (known.length > 0) refusal = changedKey(target, name, blob, known)
      else if (acceptNew) learned = blob
      else refusal = unknownKey(target, name, blob)
      return refusal === undefined
    },
    refusal: () => refusal,
    async learn() {
      const [file] = knownHosts
      if (learned === undefined || file === undefined) return
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await appendFile(file, `${name} ${keyType(learned)} ${learned.toString('base64')}\n`, { mode: 0o600 })
    },
  }
}

function given(text: string): HostKeyEntry {
  const [type = '', key = ''] = text.trim().split(/\s+/)
  return { type, key, revoked: false, where: 'the inventory' }
}

/** An RSA key signs with SHA-2; its old name stands for SHA-1, which is not asked for. */
function algorithmsOf(entries: readonly HostKeyEntry[]): string[] {
  return [
    ...new Set(
      entries.flatMap(({ type }) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type])),
    ),
  ]
}

function unknownKey({ label, knownHosts }: Target, name: string, blob: Buffer): EdgeadmError {
  return new EdgeadmError('preflight', `${label}: nobody vouches for its host key, ${said(blob)}`, {
    fix: `compare the fingerprint with \`ssh-keygen -lf /etc/ssh/ssh_host_${short(blob)}_key.pub\` on the machine, and add it to ${knownHosts[0]} under ${name}, or as ssh.hostKey; --accept-new-host-keys believes hosts that are seen for the first time`,
  })
}

function changedKey(
  { label, hostKey }: Target,
  name: string,
  blob: Buffer,
  known: readonly HostKeyEntry[],
): EdgeadmError {
  const expected = known
    .map(({ type, key, where }) => `${type} ${fingerprint(Buffer.from(key, 'base64'))} (${where})`)
    .join(', ')
  return new EdgeadmError(
    'preflight',
    `${label}: its host key is ${said(blob)}, and not ${expected}: it was set up anew, or somebody stands in between`,
    {
      fix: `if the machine was set up anew, ${hostKey === undefined ? `remove the old key: \`ssh-keygen -R '${name}'\`` : 'put its new key into ssh.hostKey'}`,
    },
  )
}

function revokedKey({ label }: Target, blob: Buffer, { where }: HostKeyEntry): EdgeadmError {
  return new EdgeadmError('preflight', `${label}: its host key ${said(blob)} is revoked (${where})`, {
    fix: 'give the machine a new host key',
  })
}

const said = (blob: Buffer): string => `${keyType(blob)} ${fingerprint(blob)}`
const short = (blob: Buffer): string => keyType(blob).replace(/^ssh-|-sha2.*$/g, '')
