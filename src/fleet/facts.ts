/** What the fleet asks of a host: one round trip, and nothing that needs edgeadm to be there. */

import { caCertHash } from '../kubernetes/ca-pins.ts'
import { EdgeadmError } from '../output/errors.ts'
import { templateText } from '../templates.ts'
import { EXECUTABLE, FLEET_DIRECTORY } from './paths.ts'
import type { HostRole, SshEntry } from './schema.ts'
import type { Connection } from './ssh/connection.ts'
import { readSecret, type Secrets } from './ssh/secrets.ts'

/** What a finished run left on the host. */
export interface HostRecord {
  readonly cluster: string
  /** Pin of the cluster's CA. */
  readonly ca: string
  readonly node: string
  readonly role: HostRole
  /** RFC 3339, UTC. */
  readonly time: string
}

export interface HostFacts {
  readonly os: string
  /** As packages name it: amd64, arm64; else what uname says. */
  readonly arch: string
  readonly hostname: string
  readonly machineId: string
  /** Seconds by which its clock is ahead of this machine's. */
  readonly clockOffset: number
  readonly freeKiB: number
  readonly addresses: readonly string[]
  readonly mtu: number | undefined
  readonly missingPrograms: readonly string[]
  /** sha256 of the executable. */
  readonly executable: string | undefined
  /** Files in the fleet's package directory; their names begin with their sha256. */
  readonly packages: readonly string[]
  readonly record: HostRecord | undefined
  /** Pin of the cluster CA that is there. */
  readonly ca: string | undefined
  /** Where its kubelet or edgecore finds the cluster. */
  readonly server: string | undefined
  readonly hasAdminConf: boolean
  /** Whether there is a kubelet or an edgecore that was set up. */
  readonly isNode: boolean
  /** The last command that edgeadm's journal tells of. */
  readonly journal: string | undefined
  /** What runs there now for a fleet, and who started it. */
  readonly running: { readonly command: string; readonly holder: string } | undefined
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }

/**
 * Finds out how to become root, and gathers the facts.
 * @throws EdgeadmError class `preflight` if the login cannot become root
 */
export async function gatherHostFacts(
  connection: Connection,
  label: string,
  ssh: SshEntry,
  secrets: Secrets,
): Promise<HostFacts> {
  await elevate(connection, label, ssh, secrets)
  const before = Date.now()
  const text = await connection.check(
    `${label}: the machine cannot be looked at`,
    connection.runAsRoot(templateText('fleet/facts.sh'), [FLEET_DIRECTORY, EXECUTABLE]),
  )
  // The question and the answer take the same time, as far as anybody knows.
  return parseFacts(text, (before + Date.now()) / 2)
}

async function elevate(
  connection: Connection,
  label: string,
  ssh: SshEntry,
  secrets: Secrets,
): Promise<void> {
  const script =
    'id -u; sudo -n true 2> /dev/null && echo free; command -v sudo > /dev/null && echo sudo; true'
  const [uid, ...found] = (await connection.run(script)).stdout.trim().split('\n')
  if (uid === '0') return
  if (found[0] === 'free') {
    connection.elevation = { kind: 'sudo' }
    return
  }
  if (!found.includes('sudo'))
    throw new EdgeadmError('preflight', `${label}: the login is not root, and there is no sudo`, {
      fix: 'log in as root (ssh.user), or install sudo there',
    })
  const password = (await readSecret(ssh.sudoPassword, label)) ?? secrets.sudoPassword
  if (password === undefined)
    throw new EdgeadmError('preflight', `${label}: sudo asks for a password, and none is known`, {
      fix: 'give --ask-sudo-password, name it with ssh.sudoPassword, or let sudo ask for none (NOPASSWD)',
    })
  connection.elevation = { kind: 'sudo-password', password }
  const { exitCode, stderr } = await connection.runAsRoot('true')
  if (exitCode !== 0)
    throw new EdgeadmError('preflight', `${label}: sudo refuses: ${stderr.trim().split('\n').at(-1)}`)
}

/** @param now milliseconds, when the host looked at its clock */
export function parseFacts(text: string, now: number): HostFacts {
  const found = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0)
      found.set(line.slice(0, at), [...(found.get(line.slice(0, at)) ?? []), line.slice(at + 1).trim()])
  }
  const one = (key: string): string | undefined => found.get(key)?.find((value) => value !== '')
  const file = (key: string): string | undefined => {
    const content = one(key)
    return content === undefined ? undefined : Buffer.from(content, 'base64').toString('utf8')
  }
  const has = found.get('has') ?? []
  const ca = file('ca')
  const running = one('running')
  return {
    os: one('os') ?? '',
    arch: ARCHITECTURES[one('arch') ?? ''] ?? one('arch') ?? '',
    hostname: one('hostname') ?? '',
    machineId: one('machineId') ?? '',
    clockOffset: Math.round(Number(one('time')) - now / 1000),
    freeKiB: Number(one('freeKiB') ?? Number.NaN),
    addresses: (one('addresses') ?? '').split(/\s+/).filter(Boolean),
    mtu: one('mtu') === undefined ? undefined : Number(one('mtu')),
    missingPrograms: found.get('missing') ?? [],
    executable: one('executable'),
    packages: found.get('package') ?? [],
    record: parseRecord(file('record')),
    ca: ca === undefined ? undefined : pinOf(ca),
    server: one('server'),
    hasAdminConf: has.includes('/etc/kubernetes/admin.conf'),
    isNode: has.some((path) => !path.endsWith('/admin.conf')),
    journal: one('journal'),
    running: running === undefined ? undefined : { command: running, holder: file('holder')?.trim() ?? '' },
  }
}

/** A power cut may have left half of one: then there is none, and the node is looked at anew. */
function parseRecord(text: string | undefined): HostRecord | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as HostRecord
  } catch {
    return undefined
  }
}

function pinOf(pem: string): string | undefined {
  try {
    return caCertHash(pem)
  } catch {
    return undefined
  }
}
