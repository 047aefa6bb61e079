/**
 * A connection that OpenSSH's own `ssh` makes: one master per host, whose connection all commands share (ControlMaster).
 * It is for what ssh2 cannot do: certificates, security keys, ProxyCommand.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { EdgeadmError } from '../../output/errors.ts'
import { render } from '../../templates.ts'
import { Connection, collector, type ExecOptions, type ExecResult, shellLine, TIMEOUT } from './connection.ts'
import { ConnectionLost } from './errors.ts'
import { openSshRefusal } from './openssh-errors.ts'
import type { Target } from './target.ts'

export interface OpenSshOptions {
  /** As the inventory has it: ssh_config may know it under that name. */
  readonly address: string
  readonly acceptNewHostKeys: boolean
  /** Milliseconds until the login is done. */
  readonly limit: number
  readonly signal: AbortSignal
}

/** What the master says once somebody is logged in. */
const READY = 'edgeadm-is-in'
/** ssh's own exit code when something is wrong with the connection. A command may have it, too. */
const BROKEN = 255
/** Nobody connects with it: a command that finds no master must not make a connection of its own. */
const NO_OTHER_WAY = ['-F', 'none', '-o', 'ProxyCommand=false']
/** How often sshd may refuse a command when no other one runs. */
const TRIES = 5
/** Milliseconds for the end of a command's program that was given up. */
const ENDING = 5000

/**
 * @throws Unreachable if nobody answers; EdgeadmError class `preflight` if the host key or the login is refused, `usage` if
 * there is no `ssh`
 */
export async function openSshConnect(target: Target, options: OpenSshOptions): Promise<OpenSshConnection> {
  // Root's or the user's alone: who reaches the socket has the connection.
  const directory = await mkdtemp(join(tmpdir(), 'edgeadm-ssh-'))
  try {
    const args = await masterArguments(target, options, directory)
    const master = startMaster(args)
    const { said, isIn } = await login(master, options)
    if (!isIn) throw await refusal(target, options, said())
    return new OpenSshConnection(target.label, master, directory)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

type Master = ReturnType<typeof startMaster>

const startMaster = (args: readonly string[]) =>
  execa('ssh', args, { stdin: 'pipe', reject: false, buffer: false, env: { LC_ALL: 'C' } })

/** The configuration is a file, so that `ssh` hands it on to those that it starts for jump hosts. */
async function masterArguments(
  { host: _, port, user, ssh, jumps, knownHosts }: Target,
  { address, acceptNewHostKeys, limit }: OpenSshOptions,
  directory: string,
): Promise<string[]> {
  const config = join(directory, 'config')
  const text = render('fleet/ssh_config', {
    checking: acceptNewHostKeys ? 'accept-new' : 'yes',
    seconds: Math.ceil(limit / 1000),
    user,
    identityFile: ssh.identityFile,
    knownHosts: ssh.knownHosts === undefined ? undefined : knownHosts[0],
  })
  await writeFile(config, text, { mode: 0o600 })
  const options = { ...ssh.options }
  if (ssh.hostKey !== undefined) {
    const own = join(directory, 'known_hosts')
    await writeFile(own, `* ${ssh.hostKey}\n`, { mode: 0o600 })
    Object.assign(options, {
      UserKnownHostsFile: own,
      GlobalKnownHostsFile: '/dev/null',
      UpdateHostKeys: 'no',
    })
  }
  const jump = jumps.map(
    ({ user: login, host, port: number }) =>
      `${login === undefined ? '' : `${login}@`}${host.includes(':') ? `[${host}]` : host}${number === undefined ? '' : `:${number}`}`,
  )
  const way =
    ssh.jump === undefined ? [] : jump.length === 0 ? ['-o', 'ProxyCommand=none'] : ['-J', jump.join(',')]
  return [
    ...['-F', config, '-M', '-S', join(directory, 's'), '-T', '-p', String(port)],
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    ...way,
    '--',
    address,
    // It lives as long as this program does: its input ends with that.
    shellLine(['sh', '-c', `echo ${READY}; exec cat > /dev/null`]),
  ]
}

/** Waits for the login's end, good or bad. */
async function login(
  master: Master,
  { limit, signal }: OpenSshOptions,
): Promise<{ readonly isIn: boolean; readonly said: () => string }> {
  const errors = collector(undefined)
  master.stderr.setEncoding('utf8').on('data', errors.take)
  master.stdin.on('error', () => {}) // it has ended, and its exit says so
  const ready = new Promise<boolean>((resolve) => {
    const lines = collector((line) => line === READY && resolve(true))
    master.stdout.setEncoding('utf8').on('data', lines.take)
  })
  const give = () => master.kill()
  const timer = setTimeout(give, limit)
  signal.addEventListener('abort', give, { once: true })
  try {
    const isIn = await Promise.race([ready, master.then(() => false)])
    signal.throwIfAborted()
    return { isIn, said: errors.end }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', give)
  }
}

async function refusal(target: Target, { limit }: OpenSshOptions, said: string): Promise<Error> {
  const { exitCode, failed } = await execa('ssh', ['-V'], { reject: false })
  if (failed && exitCode === undefined)
    return new EdgeadmError(
      'usage',
      `${target.label}: ssh.transport is openssh, and there is no program ssh here`,
      {
        fix: "install OpenSSH's client (Debian: openssh-client), or leave ssh.transport away",
      },
    )
  return openSshRefusal(target, said, limit)
}

export class OpenSshConnection extends Connection {
  readonly #label: string
  readonly #master: Master
  readonly #directory: string
  #isLost = false
  #count = 0
  /** Commands that run or begin, and who waits for the end of one. */
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(label: string, master: Master, directory: string) {
    super()
    this.#label = label
    this.#master = master
    this.#directory = directory
    void master.then(async () => {
      this.#isLost = true
      this.#wake()
      await rm(directory, { recursive: true, force: true })
    })
  }

  override get isLost(): boolean {
    return this.#isLost
  }

  override close(): void {
    this.#master.kill()
  }

  /** sshd lets so many commands run at once (MaxSessions), and refuses the next one: it waits for the end of another. */
  protected override async exec(
    words: readonly string[],
    options: ExecOptions,
    secret?: string,
  ): Promise<ExecResult> {
    for (let refusals = 1; ; refusals += 1) {
      this.#running += 1
      try {
        const result = await this.#once(words, options, secret)
        if (result !== undefined) return result
      } finally {
        this.#running -= 1
        this.#wake()
      }
      // sshd may still count one that has just ended.
      if (this.#running === 0 && refusals < TRIES) continue
      if (this.#running === 0)
        throw new ConnectionLost(`${this.#label}: sshd lets no second session run (MaxSessions)`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** @returns undefined if sshd refused to begin it: then nothing of its input was read */
  async #once(
    words: readonly string[],
    { stdin, onLine, timeout = TIMEOUT, signal }: ExecOptions,
    secret: string | undefined,
  ): Promise<ExecResult | undefined> {
    signal?.throwIfAborted()
    this.#throwIfLost()
    this.#count += 1
    const log = join(this.#directory, `log-${this.#count}`)
    // The first line is the number of the group that the command's processes are in.
    const script = 'cut -d" " -f5 < /proc/$$/stat; exec "$@"'
    const line = shellLine(['sh', '-c', script, 'edgeadm', ...words])
    const own = ['-S', join(this.#directory, 's'), '-E', log, '-o', 'LogLevel=ERROR', '-T', '-e', 'none']
    const child = execa('ssh', [...NO_OTHER_WAY, ...own, '--', 'host', line], {
      stdin: 'pipe',
      reject: false,
      buffer: false,
    })
    const out = collector(onLine)
    const err = collector(undefined)
    let group: string | undefined
    const begin = () => {
      if (secret !== undefined) child.stdin.write(`${secret}\n`)
      if (stdin === undefined || typeof stdin === 'string' || Buffer.isBuffer(stdin)) child.stdin.end(stdin)
      else stdin.once('error', (error) => fail(error)).pipe(child.stdin)
    }
    let head = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (group !== undefined) return out.take(chunk)
      head += chunk
      const end = head.indexOf('\n')
      if (end < 0) return
      group = head.slice(0, end)
      begin()
      out.take(head.slice(end + 1))
    })
    child.stderr.setEncoding('utf8').on('data', err.take)
    // What cannot be written is not read by the command; its exit code says why.
    child.stdin.on('error', () => {})
    const { promise: failed, reject } = Promise.withResolvers<never>()
    let isGivenUp = false
    const fail = (why: unknown) => {
      isGivenUp = true
      child.kill()
      void this.#end(group).then(() => reject(why))
    }
    const onAbort = () => fail(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const late = new ConnectionLost(`a command did not end within ${timeout / 1000} s`)
    const timer = timeout > 0 ? setTimeout(() => fail(late), timeout) : undefined
    try {
      const { exitCode = BROKEN } = await Promise.race([child, failed])
      if (isGivenUp) await failed
      if (exitCode === BROKEN) {
        const said = await readFile(log, 'utf8').catch(() => '')
        if (group === undefined && /session request failed|Session open refused/.test(said)) return undefined
        if (!(await this.#answers())) throw new ConnectionLost('the connection broke while a command ran')
      }
      return { exitCode, stdout: out.end(), stderr: err.end() }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      await rm(log, { force: true })
    }
  }

  /** A channel that is closed ends no program; the processes are told to. */
  async #end(group: string | undefined): Promise<void> {
    if (group === undefined || !/^\d+$/.test(group) || this.#isLost) return
    // It may have ended by itself meanwhile.
    const script = 'kill -s TERM -- "-$1" 2> /dev/null || ! kill -s 0 -- "-$1" 2> /dev/null'
    const { exitCode } = await this.runAsRoot(script, [group], { timeout: ENDING }).catch(() => ({
      exitCode: BROKEN,
    }))
    // Without the connection the rest of it ends at its next word.
    if (exitCode !== 0) this.#master.kill()
  }

  async #answers(): Promise<boolean> {
    if (this.#isLost) return false
    const args = [...NO_OTHER_WAY, '-S', join(this.#directory, 's'), '-O', 'check', '--', 'host']
    return (await execa('ssh', args, { reject: false })).exitCode === 0
  }

  #throwIfLost(): void {
    if (this.#isLost) throw new ConnectionLost('the connection was closed')
  }
}
