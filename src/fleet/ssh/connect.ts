/** Connecting: through jump hosts, with a checked host key, a few handshakes at a time, and again if nobody answered. */

import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { NodeSSH } from 'node-ssh'
import pLimit from 'p-limit'
import type { Client, ServerHostKeyAlgorithm } from 'ssh2'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import type { SshEntry } from '../schema.ts'
import { authAttempts } from './auth.ts'
import { BuiltInConnection } from './built-in.ts'
import type { Connection } from './connection.ts'
import { Unreachable } from './errors.ts'
import { hostKeyCheck } from './host-key.ts'
import { openSshConnect } from './openssh.ts'
import type { Secrets } from './secrets.ts'
import { resolveTarget, type Target } from './target.ts'

export interface TransportOptions {
  readonly acceptNewHostKeys: boolean
  readonly secrets: Secrets
  /** Milliseconds before each further try; default 2 s, 5 s. */
  readonly pauses?: readonly number[]
  /** Milliseconds for a handshake; default 10 s, through a jump host 20 s. */
  readonly handshakeLimit?: number
  readonly signal: AbortSignal
}

/** sshd's MaxStartups begins to drop unauthenticated connections at 10, and it counts per sshd: a jump host sees all. */
const HANDSHAKES_THROUGH_JUMP = 10
const HANDSHAKES = 30
/** Milliseconds. */
const READY = { direct: 10_000, jump: 20_000 }
const KEEPALIVE = { keepaliveInterval: 15_000, keepaliveCountMax: 3 }
const PAUSES = [2000, 5000]

/** Opens connections, one per host. */
export class Transport {
  readonly #options: TransportOptions
  readonly #jumps = new Map<string, Promise<Client>>()
  readonly #limits = new Map<string, ReturnType<typeof pLimit>>()
  readonly #clients = new Set<Client>()
  readonly #openSsh = new Set<Connection>()

  constructor(options: TransportOptions) {
    this.#options = options
  }

  /**
   * @param label how the host is called in messages
   * @throws Unreachable if nobody answers; EdgeadmError class `preflight` if the host key or the login is refused
   */
  async connect(label: string, address: string, ssh: SshEntry): Promise<Connection> {
    const target = await resolveTarget(label, address, ssh)
    if (ssh.transport === 'openssh') return this.#patiently(() => this.#withOpenSsh(target, address))
    if (target.proxyCommand !== undefined && ssh.jump === undefined)
      throw new EdgeadmError('usage', `${label}: ssh_config has a ProxyCommand for it`, {
        fix: 'let OpenSSH connect, with ssh.transport: openssh, or name the jump host: ssh.jump ("none" goes directly)',
      })
    return new BuiltInConnection(await this.#patiently(() => this.#through(target, target.jumps.length)))
  }

  /** Ends all connections, those to jump hosts too. */
  close(): void {
    for (const client of this.#clients) client.end()
    for (const connection of this.#openSsh) connection.close()
  }

  async #patiently<T>(connect: () => Promise<T>): Promise<T> {
    const { pauses = PAUSES, signal } = this.#options
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await connect()
      } catch (error) {
        const pause = pauses[attempt]
        if (!(error instanceof Unreachable) || pause === undefined) throw error
        await delay(pause, undefined, { signal })
      }
    }
  }

  async #withOpenSsh(target: Target, address: string): Promise<Connection> {
    const { acceptNewHostKeys, handshakeLimit, signal } = this.#options
    const proxyCommand = target.ssh.options?.ProxyCommand ?? target.proxyCommand
    const gateway = gatewayOf(target.jumps) || (target.ssh.jump === undefined ? (proxyCommand ?? '') : '')
    const limit = handshakeLimit ?? (gateway === '' ? READY.direct : READY.jump)
    const connection = await this.#limit(gateway)(() =>
      openSshConnect(target, { address, acceptNewHostKeys, limit, signal }),
    )
    this.#openSsh.add(connection)
    return connection
  }

  /** Handshakes at once through the same jump hosts. @param gateway '': directly */
  #limit(gateway: string): ReturnType<typeof pLimit> {
    const limit = this.#limits.get(gateway) ?? pLimit(gateway === '' ? HANDSHAKES : HANDSHAKES_THROUGH_JUMP)
    this.#limits.set(gateway, limit)
    return limit
  }

  /** Connects to the target through the first `count` of its jump hosts. */
  async #through(target: Target, count: number): Promise<Client> {
    const way = target.jumps.slice(0, count)
    const before = count === 0 ? undefined : await this.#jump(target, count)
    return this.#limit(gatewayOf(way))(async () =>
      this.#handshake(target, before && (await forward(before, target))),
    )
  }

  /** The connection to the `count`th jump host, opened once for all hosts behind it. */
  #jump(target: Target, count: number): Promise<Client> {
    const way = target.jumps.slice(0, count)
    const key = JSON.stringify(way)
    const existing = this.#jumps.get(key)
    if (existing !== undefined) return existing
    const opened = this.#openJump(target, count)
    this.#jumps.set(key, opened)
    const forget = () => this.#jumps.delete(key)
    // One that failed or broke is opened anew by the next host.
    opened.then((client) => client.once('close', forget), forget)
    return opened
  }

  async #openJump(target: Target, count: number): Promise<Client> {
    const jump = target.jumps[count - 1]
    if (jump === undefined) throw new Error('no jump host')
    const { hostKey: _, sudoPassword: __, ...ssh } = target.ssh
    const label = `jump host ${jump.host}`
    const own = {
      ...ssh,
      jump: 'none',
      user: jump.user ?? ssh.user,
      port: jump.port,
    }
    const resolved = await resolveTarget(label, jump.host, own)
    return this.#through({ ...resolved, jumps: target.jumps.slice(0, count - 1) }, count - 1)
  }

  async #handshake(target: Target, sock: Duplex | undefined): Promise<Client> {
    const { acceptNewHostKeys, secrets, signal, handshakeLimit } = this.#options
    signal.throwIfAborted()
    const check = await hostKeyCheck(target, acceptNewHostKeys)
    const { methods, said } = await authAttempts(target, secrets)
    const ssh = new NodeSSH()
    const next = methods[Symbol.iterator]()
    try {
      await ssh.connect({
        host: target.host,
        port: target.port,
        username: target.user,
        ...(sock === undefined ? {} : { sock: sock as never }),
        readyTimeout: handshakeLimit ?? (sock === undefined ? READY.direct : READY.jump),
        ...KEEPALIVE,
        hostVerifier: (blob: Buffer) => check.verify(blob),
        ...(check.algorithms === undefined
          ? {}
          : { algorithms: { serverHostKey: [...check.algorithms] as ServerHostKeyAlgorithm[] } }),
        // Each is offered once; false ends it.
        authHandler: (_left, _partial, offer) => {
          const { done, value } = next.next()
          offer(done ? (false as never) : value)
        },
      })
    } catch (error) {
      throw check.refusal() ?? refused(target, error, said)
    }
    const client = ssh.connection
    if (client === null) throw new Unreachable(`${target.label}: the connection ended at once`)
    // node-ssh takes its own away, and one without any ends the process.
    client.on('error', () => {})
    client.setNoDelay(true)
    this.#clients.add(client)
    client.once('close', () => this.#clients.delete(client))
    await check.learn()
    return client
  }
}

const gatewayOf = (way: Target['jumps']): string =>
  way.map(({ user, host, port }) => `${user}@${host}:${port}`).join(',')

function forward(client: Client, { host, port, label }: Target): Promise<Duplex> {
  return new Promise((resolve, reject) =>
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
      error
        ? reject(new Unreachable(`${label}: the jump host does not reach ${host}:${port}: ${error.message}`))
        : resolve(channel),
    ),
  )
}

function refused(target: Target, error: unknown, said: readonly string[]): Error {
  const { label, host, port, user } = target
  const message = messageOf(error)
  const { level } = error as { level?: string }
  if (level === 'client-authentication' || /All configured authentication methods failed/.test(message))
    return new EdgeadmError('preflight', `${label}: ${user}@${host}:${port} refuses the login`, {
      fix: 'name the right user and key under ssh, or put the public key into authorized_keys there',
      details: [`offered: ${said.join(', ')}`],
    })
  if (/no matching (host key|key exchange|C->S|S->C)/i.test(message))
    return new EdgeadmError(
      'preflight',
      `${label}: ${host}:${port} and edgeadm have no algorithm in common: ${message}`,
    )
  return new Unreachable(`${label}: ${host}:${port} does not answer: ${message}`)
}
