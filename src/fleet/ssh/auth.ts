/**
 * What is offered to a server, in order: keys of the agent that the inventory or ssh_config names, key files, other keys of
 * the agent, the password. At most three keys: sshd ends a connection after MaxAuthTries (6, or 2 to 4 on hardened hosts),
 * and newer ones lock an address out that failed a few times (PerSourcePenalties).
 */

import { readFile } from 'node:fs/promises'
import ssh2, { type AnyAuthMethod, type BaseAgent, type ParsedKey } from 'ssh2'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { readSecret, type Secrets } from './secrets.ts'
import type { Target } from './target.ts'

const MOST_KEYS = 3

export interface Attempts {
  readonly methods: AnyAuthMethod[]
  /** What was offered and what was left out, for the message if nothing was taken. */
  readonly said: readonly string[]
}

/** @throws EdgeadmError class `usage` if there is nothing to offer */
export async function authAttempts(target: Target, secrets: Secrets): Promise<Attempts> {
  const { user: username, identityFiles, identitiesOnly, label } = target
  const said: string[] = []
  const named: AnyAuthMethod[] = []
  const others: AnyAuthMethod[] = []
  const inAgent = await agentKeys(target, said)
  for (const path of identityFiles) {
    const wanted = await publicKeyOf(path)
    const held = inAgent.find(({ key }) => wanted !== undefined && key.getPublicSSH().equals(wanted))
    if (held !== undefined) {
      held.used = true
      named.push({ type: 'agent', username, agent: held.agent })
      said.push(`${path} (in the agent)`)
      continue
    }
    const key = await privateKey(path)
    if (typeof key === 'string') said.push(`${path} left out: ${key}`)
    else {
      named.push({ type: 'publickey', username, key })
      said.push(path)
    }
  }
  if (!identitiesOnly)
    for (const { agent, key, used } of inAgent) {
      if (used) continue
      others.push({ type: 'agent', username, agent })
      said.push(`${key.comment || key.type} (in the agent)`)
    }
  const keys = [...named, ...others]
  if (keys.length > MOST_KEYS) said.push(`only the first ${MOST_KEYS} keys`)
  const password = (await readSecret(target.ssh.password, label)) ?? secrets.password
  const methods = keys.slice(0, MOST_KEYS)
  if (password !== undefined) {
    methods.push({ type: 'password', username, password })
    methods.push({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
    })
    said.push('the password')
  }
  if (methods.length === 0)
    throw new EdgeadmError('usage', `${label}: there is no key and no password to log in with`, {
      fix: 'name a key with ssh.identityFile, start ssh-agent, or give --ask-password',
      details: said,
    })
  return { methods, said }
}

interface HeldKey {
  readonly agent: BaseAgent
  readonly key: ParsedKey
  used: boolean
}

/** An agent that is gone, as after a reboot, has no keys. */
async function agentKeys({ agent: path }: Target, said: string[]): Promise<HeldKey[]> {
  if (path === undefined) return []
  const agent = ssh2.createAgent(path)
  try {
    const keys = await new Promise<ParsedKey[]>((resolve, reject) =>
      agent.getIdentities((error, found) => (error ? reject(error) : resolve((found ?? []) as ParsedKey[]))),
    )
    return keys.map((key) => ({ key, agent: onlyWith(agent, key), used: false }))
  } catch (error) {
    said.push(`the agent at ${path} left out: ${messageOf(error)}`)
    return []
  }
}

/** ssh2 offers every key of an agent in turn; this one has a single key. */
function onlyWith(agent: BaseAgent, key: ParsedKey): BaseAgent {
  class OneKey extends ssh2.BaseAgent {
    override getIdentities(callback: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
      callback(undefined, [key])
    }
    override sign(): void {
      throw new Error('the agent signs')
    }
  }
  return Object.assign(new OneKey(), { sign: agent.sign.bind(agent) }) as BaseAgent
}

async function publicKeyOf(path: string): Promise<Buffer | undefined> {
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Buffer.from(text.split(/\s+/)[1] ?? '', 'base64')
}

/** The key, or why it cannot be used. */
async function privateKey(path: string): Promise<ParsedKey | string> {
  let text: Buffer
  try {
    text = await readFile(path)
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
  const parsed = ssh2.utils.parseKey(text)
  if (parsed instanceof Error)
    return /passphrase|encrypted/i.test(parsed.message)
      ? 'it has a passphrase: add it to ssh-agent with ssh-add'
      : parsed.message
  return (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey
}
