/** Where a host is and who logs in: the inventory first, then what ssh_config says (`ssh -G`), then defaults. */

import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { execa } from 'execa'
import pLimit from 'p-limit'
import { EdgeadmError } from '../../output/errors.ts'
import type { SshEntry } from '../schema.ts'

export interface Target {
  /** How the host is called in messages. */
  readonly label: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Files of private keys, in order. */
  readonly identityFiles: readonly string[]
  /** Whether the inventory or ssh_config names the keys: then an agent's other keys are not offered. */
  readonly identitiesOnly: boolean
  readonly agent: string | undefined
  /** Of ssh_config. */
  readonly proxyCommand: string | undefined
  /** Hosts to go through, in order. */
  readonly jumps: readonly JumpHost[]
  readonly hostKey: string | undefined
  readonly hostKeyAlias: string | undefined
  /** The first one is written to. */
  readonly knownHosts: readonly string[]
  readonly ssh: SshEntry
}

export interface JumpHost {
  readonly host: string
  readonly user: string | undefined
  readonly port: number | undefined
}

/** What is read of them. */
const KEYS =
  'hostname port user identityfile identitiesonly identityagent proxyjump proxycommand hostkeyalias userknownhostsfile globalknownhostsfile'.split(
    ' ',
  )

/** Answers of `ssh -G`, one per question. */
const answers = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>()

/** @throws EdgeadmError class `usage`: ssh_config cannot be read, or a jump host is none */
export async function resolveTarget(label: string, address: string, ssh: SshEntry): Promise<Target> {
  const config = await sshConfig(address, ssh)
  const one = (key: string): string | undefined => config.get(key)?.[0]
  const jump = ssh.jump ?? one('proxyjump') ?? 'none'
  const agent = one('identityagent')
  return {
    label,
    host: one('hostname') ?? address,
    // 22 counts as "not set".
    port: ssh.port ?? Number(one('port') ?? 22),
    user: ssh.user ?? userOf(one('user')),
    identityFiles:
      ssh.identityFile === undefined
        ? (config.get('identityfile') ?? []).map(expandHome).filter((path) => existsSync(path))
        : [ssh.identityFile],
    identitiesOnly: ssh.identityFile !== undefined || one('identitiesonly') === 'yes',
    agent:
      agent === 'none'
        ? undefined
        : agent === undefined || agent === 'SSH_AUTH_SOCK'
          ? process.env.SSH_AUTH_SOCK
          : expandHome(agent),
    proxyCommand: one('proxycommand') === 'none' ? undefined : one('proxycommand'),
    jumps: jump === 'none' ? [] : jump.split(',').map((text) => parseJump(label, text)),
    hostKey: ssh.hostKey,
    hostKeyAlias: one('hostkeyalias'),
    knownHosts:
      ssh.knownHosts === undefined
        ? [
            ...words(one('userknownhostsfile') ?? '~/.ssh/known_hosts'),
            ...words(one('globalknownhostsfile') ?? '/etc/ssh/ssh_known_hosts'),
          ].map(expandHome)
        : [ssh.knownHosts],
    ssh,
  }
}

/** ssh names the local user where no file does; edgeadm's default is root. */
function userOf(configured: string | undefined): string {
  return configured === undefined || configured === userInfo().username ? 'root' : configured
}

async function sshConfig(address: string, ssh: SshEntry): Promise<ReadonlyMap<string, readonly string[]>> {
  const args = ['-G', ...(ssh.user === undefined ? [] : ['-l', ssh.user]), '--', address]
  const key = args.join(' ')
  const answer = answers.get(key) ?? asking(() => askSsh(args))
  answers.set(key, answer)
  return answer
}

/** Programs at once. */
const asking = pLimit(8)

/** No `ssh` on this machine: then no ssh_config counts. */
async function askSsh(args: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { stdout, exitCode, stderr, code } = await execa('ssh', args, { reject: false })
  if (code === 'ENOENT') return new Map()
  if (exitCode !== 0) throw new EdgeadmError('usage', `ssh_config cannot be read: ${stderr.trim()}`)
  const found = new Map<string, string[]>()
  for (const line of stdout.split('\n')) {
    const at = line.indexOf(' ')
    const key = line.slice(0, at).toLowerCase()
    if (KEYS.includes(key)) found.set(key, [...(found.get(key) ?? []), line.slice(at + 1)])
  }
  return found
}

/** `[USER@]HOST[:PORT]` */
function parseJump(label: string, text: string): JumpHost {
  const match = /^(?:ssh:\/\/)?(?:([^@\s]+)@)?(\[[^\]]+\]|[^:\s@]+)(?::(\d{1,5}))?$/.exec(text.trim())
  if (match?.[2] === undefined)
    throw new EdgeadmError('usage', `${label}: "${text}" is no jump host: [USER@]HOST[:PORT]`)
  return {
    host: match[2].replace(/^\[|\]$/g, ''),
    user: match[1],
    port: match[3] === undefined ? undefined : Number(match[3]),
  }
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '' && word !== 'none')

function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, process.env.HOME ?? userInfo().homedir)
}
