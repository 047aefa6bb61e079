/** The SSH transport against OpenSSH's own sshd. */

import { execFileSync, spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket, connect as socketTo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { SshEntry } from '../../src/fleet/schema.ts'
import { Transport, type TransportOptions } from '../../src/fleet/ssh/connect.ts'
import { ConnectionLost, Unreachable } from '../../src/fleet/ssh/errors.ts'
import { makeKey, type Sshd, SUDO, startSshd } from './sshd.ts'

vi.setConfig({ testTimeout: 60_000 })

let sshd: Sshd
let folder: string
const opened: Transport[] = []

beforeAll(async () => {
  sshd = await startSshd()
  folder = mkdtempSync(join(tmpdir(), 'edgeadm-ssh-test-'))
})
afterEach(() => {
  for (const transport of opened.splice(0)) transport.close()
})
afterAll(async () => {
  await sshd.stop()
  rmSync(folder, { recursive: true })
})

function transport(options: Partial<TransportOptions> = {}): Transport {
  const made = new Transport({
    acceptNewHostKeys: false,
    secrets: {},
    pauses: [],
    // A busy host is no failure here.
    handshakeLimit: 60_000,
    signal: new AbortController().signal,
    ...options,
  })
  opened.push(made)
  return made
}

function entry(more: Partial<SshEntry> = {}): SshEntry {
  return {
    user: sshd.user,
    port: sshd.port,
    identityFile: sshd.identityFile,
    hostKey: sshd.hostKey,
    jump: 'none',
    ...more,
  }
}

/** Writes a known_hosts file and resolves with its path. */
function knownHosts(text: string): string {
  const path = join(folder, `known-${randomBytes(4).toString('hex')}`)
  writeFileSync(path, text)
  return path
}

const connect = (more?: Partial<SshEntry>, options?: Partial<TransportOptions>) =>
  transport(options).connect('worker-1', '127.0.0.1', entry(more))
const viaKnownHosts = (text: string, options?: Partial<TransportOptions>) =>
  connect({ hostKey: undefined, knownHosts: knownHosts(text) }, options)

describe('commands', () => {
  test('arguments, input, both outputs and exit code come through as they are', async () => {
    const connection = await connect()
    const script = 'cat; printf "%s|" "$@"; echo oops >&2; exit 7'
    const result = await connection.run(script, ["it's", '$HOME "x"', ''], { stdin: 'in\n' })
    expect(result).toEqual({ exitCode: 7, stdout: `in\nit's|$HOME "x"||`, stderr: 'oops\n' })
  })

  test('lines are handed on as they come, the last one without an end of line too', async () => {
    const connection = await connect()
    const lines: string[] = []
    await connection.run('printf "a\\nb\\nc"', [], { onLine: (line) => lines.push(line) })
    expect(lines).toEqual(['a', 'b', 'c'])
  })

  test('control characters of a host do not reach a terminal', async () => {
    const connection = await connect()
    const { stdout } = await connection.run("printf 'a\\033[2Jb\\tc\\n'")
    expect(stdout).toBe('a\ufffd[2Jb\tc\n')
  })

  test('many commands run beside each other on one connection', async () => {
    const connection = await connect()
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) => connection.run('echo $1', [String(index)])),
    )
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  })

  test('what a command says comes through, also if its begin and its end arrive in one packet', async () => {
    let isBusy = false
    const server = createServer((near) => {
      const far = socketTo(sshd.port, '127.0.0.1')
      near.pipe(far)
      const held: Buffer[] = []
      // A busy machine reads at once what has come in the meantime.
      far.on('data', (chunk) => {
        held.push(chunk)
        if (held.length === 1) setTimeout(() => near.write(Buffer.concat(held.splice(0))), isBusy ? 3000 : 0)
      })
      near.on('error', () => far.destroy()).on('close', () => far.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const connection = await connect({ port: (server.address() as { port: number }).port })
      isBusy = true
      const results = await Promise.all([1, 2, 3].map((code) => connection.run(`echo ${code}; exit ${code}`)))
      expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
        [1, '1\n'],
        [2, '2\n'],
        [3, '3\n'],
      ])
    } finally {
      server.close()
    }
  })

  test('more commands than sshd lets run at once wait for each other', async () => {
    const strict = await startSshd(['MaxSessions 2'])
    try {
      const { port, hostKey, identityFile } = strict
      const connection = await connect({ port, hostKey, identityFile })
      const results = await Promise.all(
        Array.from({ length: 6 }, (_, index) => connection.run('sleep 0.1; echo $1', [String(index)])),
      )
      expect(results.map(({ stdout }) => stdout.trim())).toEqual(['0', '1', '2', '3', '4', '5'])
    } finally {
      await strict.stop()
    }
  })

  test('a connection that breaks while a command runs is lost, and ends nothing else', async () => {
    const connection = await connect()
    const lost = connection.run('echo up; sleep 60', [], { onLine: () => sshd.cut() })
    await expect(lost).rejects.toBeInstanceOf(ConnectionLost)
    await expect(connection.run('true')).rejects.toBeInstanceOf(ConnectionLost)
    expect((await (await connect()).run('echo again')).stdout).toBe('again\n')
  })

  test('a command that does not end in time is given up', async () => {
    const connection = await connect()
    await expect(connection.run('sleep 60', [], { timeout: 50 })).rejects.toThrow('did not end within 0.05 s')
  })
})

describe('host keys', () => {
  const port = () => `[127.0.0.1]:${sshd.port}`

  test('a known key is taken, by name, by pattern, and hashed', async () => {
    const salt = randomBytes(20)
    const hash = createHmac('sha1', salt).update(port()).digest('base64')
    for (const name of [port(), `*,!10.*`, `|1|${salt.toString('base64')}|${hash}`]) {
      const connection = await viaKnownHosts(`# a comment\n${name} ${sshd.hostKey}\n`)
      expect((await connection.run('true')).exitCode).toBe(0)
    }
  })

  test('a key that nobody vouches for is refused, with its fingerprint', async () => {
    const fingerprint = execFileSync('ssh-keygen', ['-lf', join(sshd.directory, 'host.pub')], {
      encoding: 'utf8',
    }).split(' ')[1]
    await expect(viaKnownHosts(`!127.0.0.1,elsewhere ${sshd.hostKey}\n`)).rejects.toMatchObject({
      class: 'preflight',
      message: `worker-1: nobody vouches for its host key, ssh-ed25519 ${fingerprint}`,
    })
  })

  test('a changed key is refused even if new ones are accepted; file and line are named', async () => {
    const other = readFileSync(`${makeKey(folder, 'other')}.pub`, 'utf8')
    const refused = viaKnownHosts(`\n${port()} ${other}`, { acceptNewHostKeys: true })
    await expect(refused).rejects.toMatchObject({
      class: 'preflight',
      message: expect.stringMatching(
        /its host key is ssh-ed25519 SHA256:\S+, and not ssh-ed25519 SHA256:\S+ \(\S+:2\)/,
      ),
    })
  })

  test('a revoked key is refused, whatever else is known', async () => {
    const text = `${port()} ${sshd.hostKey}\n@revoked * ${sshd.hostKey}\n`
    await expect(viaKnownHosts(text, { acceptNewHostKeys: true })).rejects.toThrow('is revoked')
  })

  test('accept-new writes the first key down, and holds on to it', async () => {
    const path = join(folder, 'new', 'known_hosts')
    const where = { hostKey: undefined, knownHosts: path }
    await connect(where, { acceptNewHostKeys: true })
    expect(readFileSync(path, 'utf8')).toBe(`${port()} ${sshd.hostKey.split(' ').slice(0, 2).join(' ')}\n`)
    await connect(where)
  })

  test('nothing is written down for a login that is refused', async () => {
    const path = join(folder, 'none', 'known_hosts')
    const where = { hostKey: undefined, knownHosts: path, identityFile: makeKey(folder, 'wrong') }
    await expect(connect(where, { acceptNewHostKeys: true })).rejects.toThrow('refuses the login')
    expect(existsSync(path)).toBe(false)
  })
})

describe('logins', () => {
  test('a wrong key is refused with what was offered', async () => {
    const path = makeKey(folder, 'stranger')
    await expect(connect({ identityFile: path })).rejects.toMatchObject({
      class: 'preflight',
      details: [`offered: ${path}`],
    })
  })

  test('a key with a passphrase and no agent: what to do is said', async () => {
    const path = join(folder, 'locked')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', path])
    vi.stubEnv('SSH_AUTH_SOCK', undefined)
    await expect(connect({ identityFile: path })).rejects.toMatchObject({
      class: 'usage',
      details: [`${path} left out: it has a passphrase: add it to ssh-agent with ssh-add`],
    })
  })

  test("of an agent's many keys the one that is named is offered, so that MaxAuthTries is not met", async () => {
    const socket = join(folder, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      await vi.waitUntil(() => existsSync(socket))
      const add = (path: string) =>
        execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      for (const name of ['a1', 'a2', 'a3', 'a4']) add(makeKey(folder, name))
      add(sshd.identityFile)
      // Only the public half is at hand.
      const named = join(folder, 'named')
      writeFileSync(`${named}.pub`, readFileSync(`${sshd.identityFile}.pub`))
      vi.stubEnv('SSH_AUTH_SOCK', socket)
      const strict = await startSshd(['MaxAuthTries 2'])
      try {
        writeFileSync(join(strict.directory, 'authorized_keys'), readFileSync(`${named}.pub`))
        const connection = await connect({
          port: strict.port,
          hostKey: strict.hostKey,
          identityFile: named,
        })
        expect((await connection.run('echo in')).stdout).toBe('in\n')
      } finally {
        await strict.stop()
      }
    } finally {
      agent.kill()
    }
  })
})

describe('unreachable', () => {
  let server: Server
  const sockets = new Set<Socket>()
  let answer: (socket: Socket) => void = () => {}
  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      answer(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const port = () => (server.address() as { port: number }).port

  test('nobody listens', async () => {
    const free = await startSshd()
    await free.stop()
    await expect(connect({ port: free.port })).rejects.toBeInstanceOf(Unreachable)
  })

  test('the connection is reset in the handshake, and tried again', async () => {
    let count = 0
    answer = (socket) => {
      count += 1
      socket.resetAndDestroy()
    }
    await expect(connect({ port: port() }, { pauses: [1, 1] })).rejects.toBeInstanceOf(Unreachable)
    expect(count).toBe(3)
  })
})

describe('jump hosts', () => {
  test('hosts behind one share its connection, and each handshake is checked', async () => {
    const behind = await startSshd()
    try {
      const known = knownHosts(
        `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n[127.0.0.1]:${behind.port} ${behind.hostKey}\n`,
      )
      writeFileSync(join(behind.directory, 'authorized_keys'), readFileSync(`${sshd.identityFile}.pub`))
      const shared = transport()
      const where = entry({
        hostKey: undefined,
        knownHosts: known,
        port: behind.port,
        jump: `${sshd.user}@127.0.0.1:${sshd.port}`,
      })
      const connections = await Promise.all(
        ['a', 'b', 'c'].map((name) => shared.connect(name, '127.0.0.1', where)),
      )
      const ports = await Promise.all(connections.map((one) => one.run('echo "$SSH_CONNECTION"')))
      expect(ports.map(({ stdout }) => stdout.trim().split(' ')[3])).toEqual(
        Array(3).fill(String(behind.port)),
      )
      const wrong = entry({
        ...where,
        knownHosts: knownHosts(`[127.0.0.1]:${behind.port} ${behind.hostKey}\n`),
      })
      await expect(transport().connect('a', '127.0.0.1', wrong)).rejects.toThrow(
        'jump host 127.0.0.1: nobody vouches for its host key',
      )
    } finally {
      await behind.stop()
    }
  })
})

test('with sudo, the password is not what the command reads', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'sudo'), SUDO)
  chmodSync(join(bin, 'sudo'), 0o755)
  const other = await startSshd([`SetEnv PATH=${bin}:/usr/bin:/bin`])
  try {
    const connection = await connect({
      port: other.port,
      hostKey: other.hostKey,
      identityFile: other.identityFile,
    })
    connection.elevation = { kind: 'sudo-password', password: 'geheim' }
    const script = 'echo "$AS_ROOT $1"; cat'
    expect((await connection.runAsRoot(script, ['x'], { stdin: 'input' })).stdout).toBe('yes x\ninput')
    connection.elevation = { kind: 'sudo-password', password: 'falsch' }
    expect((await connection.runAsRoot('true')).stderr).toContain('incorrect password')
    connection.elevation = { kind: 'sudo' }
    expect((await connection.runAsRoot('true')).exitCode).toBe(1)
  } finally {
    await other.stop()
  }
})
