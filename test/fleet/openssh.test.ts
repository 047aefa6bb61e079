/** The transport `openssh`: the system's `ssh` against OpenSSH's own sshd. */

import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
/** Folders of connections. */
let temporary: string

beforeAll(async () => {
  sshd = await startSshd()
  folder = mkdtempSync(join(tmpdir(), 'edgeadm-openssh-test-'))
  temporary = join(folder, 'tmp')
  mkdirSync(temporary)
})
afterEach(() => {
  for (const transport of opened.splice(0)) transport.close()
})
afterAll(async () => {
  await sshd.stop()
  rmSync(folder, { recursive: true })
})

function connect(more: Partial<SshEntry> = {}, options: Partial<TransportOptions> = {}) {
  vi.stubEnv('TMPDIR', temporary)
  const transport = new Transport({
    acceptNewHostKeys: false,
    secrets: {},
    pauses: [],
    // A busy host is no failure here.
    handshakeLimit: 30_000,
    signal: new AbortController().signal,
    ...options,
  })
  opened.push(transport)
  return transport.connect('worker-1', '127.0.0.1', {
    transport: 'openssh',
    user: sshd.user,
    port: sshd.port,
    identityFile: sshd.identityFile,
    hostKey: sshd.hostKey,
    jump: 'none',
    ...more,
  })
}

/** Of another sshd than the one for all tests. */
const at = ({ port, hostKey, identityFile }: Sshd) => ({ port, hostKey, identityFile })

describe('commands', () => {
  test('arguments, input, both outputs and exit code come through as they are', async () => {
    const connection = await connect()
    const script = 'cat; printf "%s|" "$@"; echo oops >&2; exit 7'
    const result = await connection.run(script, ["it's", '$HOME "x"', ''], { stdin: 'in\n' })
    expect(result).toEqual({ exitCode: 7, stdout: `in\nit's|$HOME "x"||`, stderr: 'oops\n' })
  })

  test('lines are handed on as they come, and the exit code 255 is one as any other', async () => {
    const connection = await connect()
    const lines: string[] = []
    const { exitCode } = await connection.run('printf "a\\nb\\nc"; exit 255', [], {
      onLine: (line) => lines.push(line),
    })
    expect(lines).toEqual(['a', 'b', 'c'])
    expect(exitCode).toBe(255)
    expect(connection.isLost).toBe(false)
  })

  test('a large input comes through whole', async () => {
    const connection = await connect()
    const { stdout } = await connection.run('sha256sum', [], { stdin: Buffer.alloc(30_000_000, 'edge') })
    expect(stdout).toMatch(/^2d6|^[0-9a-f]{64} /)
  })

  test('more commands than sshd lets run at once wait for each other; all share one connection', async () => {
    const strict = await startSshd(['MaxSessions 3'])
    try {
      const connection = await connect(at(strict))
      const results = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          connection.run('sleep 0.2; cat; echo "$SSH_CONNECTION"', [], { stdin: `${index} ` }),
        ),
      )
      expect(results.map(({ stdout }) => stdout.charAt(0))).toEqual(['0', '1', '2', '3', '4', '5'])
      expect(new Set(results.map(({ stdout }) => stdout.slice(2))).size).toBe(1)
    } finally {
      await strict.stop()
    }
  })

  test('a connection that breaks while a command runs is lost, and ends nothing else', async () => {
    const connection = await connect()
    const lost = connection.run('echo up; sleep 60', [], { onLine: () => sshd.cut() })
    await expect(lost).rejects.toBeInstanceOf(ConnectionLost)
    await vi.waitUntil(() => connection.isLost)
    await expect(connection.run('true')).rejects.toBeInstanceOf(ConnectionLost)
    expect((await (await connect()).run('echo again')).stdout).toBe('again\n')
  })

  test('a command that is given up ends on the host too', async () => {
    const connection = await connect()
    const path = join(folder, 'pid')
    const late = connection.run('echo $$ > "$1"; sleep 60; true', [path], { timeout: 1500 })
    await expect(late).rejects.toThrow('did not end within 1.5 s')
    const pid = readFileSync(path, 'utf8').trim()
    await vi.waitUntil(() => !existsSync(`/proc/${pid}`))
    const abort = new AbortController()
    const stopped = connection.run('echo up; sleep 60', [], {
      signal: abort.signal,
      onLine: () => abort.abort(new Error('enough')),
    })
    await expect(stopped).rejects.toThrow('enough')
    expect((await connection.run('echo still')).stdout).toBe('still\n')
  })

  test('nothing of a connection stays on this machine', async () => {
    const connection = await connect()
    expect(execFileSync('ls', [temporary], { encoding: 'utf8' })).not.toBe('')
    connection.close()
    await vi.waitUntil(() => execFileSync('ls', [temporary], { encoding: 'utf8' }) === '', {
      timeout: 10_000,
    })
  })
})

describe('host keys', () => {
  const name = () => `[127.0.0.1]:${sshd.port}`
  const known = (text: string) => {
    const path = join(folder, 'known')
    writeFileSync(path, text)
    return { hostKey: undefined, knownHosts: path }
  }

  test('a key that nobody vouches for, a changed one and a revoked one are refused', async () => {
    await expect(connect(known(''))).rejects.toMatchObject({
      class: 'preflight',
      message: 'worker-1: nobody vouches for its host key',
    })
    const other = readFileSync(`${makeKey(folder, 'other')}.pub`, 'utf8')
    const accept = { acceptNewHostKeys: true }
    await expect(connect(known(`${name()} ${other}`), accept)).rejects.toThrow(
      'its host key is another than the one',
    )
    await expect(connect({ hostKey: other.trim() })).rejects.toThrow('its host key is another than the one')
    const revoked = known(`${name()} ${sshd.hostKey}\n@revoked * ${sshd.hostKey}\n`)
    await expect(connect(revoked, accept)).rejects.toThrow('its host key is revoked')
  })

  test('accept-new writes the first key down', async () => {
    const where = known('')
    await connect(where, { acceptNewHostKeys: true })
    expect(readFileSync(where.knownHosts, 'utf8')).toContain(
      `${name()} ${sshd.hostKey.split(' ').slice(0, 2).join(' ')}`,
    )
    await connect(where)
  })

  test('a certificate of the host is believed if its authority is', async () => {
    const ca = makeKey(folder, 'host-ca')
    const certified = await startSshd()
    await certified.stop()
    mkdirSync(certified.directory)
    const key = makeKey(certified.directory, 'certified')
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'host', '-h', '-n', '127.0.0.1', `${key}.pub`])
    const server = await startSshd([`HostKey ${key}`, `HostCertificate ${key}-cert.pub`])
    try {
      const authority = readFileSync(`${ca}.pub`, 'utf8')
      const where = known(`@cert-authority [127.0.0.1]:${server.port},127.0.0.1 ${authority}`)
      const connection = await connect({ ...at(server), ...where })
      expect((await connection.run('echo in')).stdout).toBe('in\n')
    } finally {
      await server.stop()
      rmSync(certified.directory, { recursive: true, force: true })
    }
  })
})

describe('logins', () => {
  test('a wrong key is refused', async () => {
    await expect(connect({ identityFile: makeKey(folder, 'stranger') })).rejects.toMatchObject({
      class: 'preflight',
      message: expect.stringContaining('refuses the login'),
    })
  })

  test("a user's certificate is enough: the host knows the authority only", async () => {
    const ca = makeKey(folder, 'user-ca')
    const key = makeKey(folder, 'certified-user')
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'me', '-n', sshd.user, '-V', '-5m:+1h', `${key}.pub`])
    const server = await startSshd([`TrustedUserCAKeys ${ca}.pub`])
    try {
      const connection = await connect({ ...at(server), identityFile: key })
      expect((await connection.run('echo in')).stdout).toBe('in\n')
      rmSync(`${key}-cert.pub`)
      await expect(connect({ ...at(server), identityFile: key })).rejects.toThrow('refuses the login')
    } finally {
      await server.stop()
    }
  })

  test('with sudo, the password is not what the command reads', async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'sudo'), SUDO)
    chmodSync(join(bin, 'sudo'), 0o755)
    const other = await startSshd([`SetEnv PATH=${bin}:/usr/bin:/bin`])
    try {
      const connection = await connect(at(other))
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
})

describe('the way to a host', () => {
  test('ProxyCommand leads to a host that its address does not', async () => {
    const proxy = join(folder, 'proxy.mjs')
    writeFileSync(
      proxy,
      `import { connect } from 'node:net'
       const socket = connect(Number(process.argv[2]), '127.0.0.1')
       process.stdin.pipe(socket).pipe(process.stdout)`,
    )
    const connection = await connect({
      jump: undefined,
      port: 1,
      options: { ProxyCommand: `${process.execPath} ${proxy} ${sshd.port}` },
    })
    expect((await connection.run('echo in')).stdout).toBe('in\n')
  })

  test("through a jump host, whose key is checked as the target's is", async () => {
    const behind = await startSshd()
    try {
      writeFileSync(join(behind.directory, 'authorized_keys'), readFileSync(`${sshd.identityFile}.pub`))
      const path = join(folder, 'known-jump')
      const both = `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n[127.0.0.1]:${behind.port} ${behind.hostKey}\n`
      writeFileSync(path, both)
      const where = {
        hostKey: undefined,
        knownHosts: path,
        port: behind.port,
        jump: `${sshd.user}@127.0.0.1:${sshd.port}`,
      }
      const { stdout } = await (await connect(where)).run('echo "$SSH_CONNECTION"')
      expect(stdout.trim().split(' ')[3]).toBe(String(behind.port))
      writeFileSync(path, `[127.0.0.1]:${behind.port} ${behind.hostKey}\n`)
      await expect(connect(where)).rejects.toThrow('nobody vouches for its host key')
    } finally {
      await behind.stop()
    }
  })

  test('nobody listens', async () => {
    const free = await startSshd()
    await free.stop()
    await expect(connect({ port: free.port })).rejects.toBeInstanceOf(Unreachable)
  })

  test('without a program ssh one sentence says what to install', async () => {
    vi.stubEnv('PATH', folder)
    await expect(connect()).rejects.toMatchObject({
      class: 'usage',
      message: 'worker-1: ssh.transport is openssh, and there is no program ssh here',
    })
  })
})
