/** OpenSSH's sshd for tests: on loopback, with a configuration and keys of its own in a temporary folder. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const PROGRAM = '/usr/sbin/sshd'

/** What sudo does with the flags that are used; the real one needs a user and a rule on this very host. */
export const SUDO = `#!/bin/sh
password=
while [ "$1" != -- ]; do case $1 in -n) [ -e "$0.free" ] || { echo "sudo: a password is required" >&2; exit 1; } ;;
  -S) IFS= read -r password ;; -p) shift ;; -k) ;; esac; shift; done; shift
[ -e "$0.free" ] || [ "$password" = geheim ] || { echo "sudo: 1 incorrect password attempt" >&2; exit 1; }
AS_ROOT=yes exec "$@"
`

export interface Sshd {
  readonly port: number
  readonly user: string
  /** The public host key, "ssh-ed25519 AAAA…". */
  readonly hostKey: string
  /** Path of a private key that it takes. */
  readonly identityFile: string
  readonly directory: string
  /** Ends it and all its connections. */
  stop(): Promise<void>
  /** Ends its connections, and not itself. */
  cut(): void
}

/** @param lines further lines of sshd_config */
export async function startSshd(lines: readonly string[] = []): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'edgeadm-sshd-'))
  const hostKey = makeKey(directory, 'host')
  const userKey = makeKey(directory, 'user')
  const authorized = join(directory, 'authorized_keys')
  writeFileSync(authorized, readFileSync(`${userKey}.pub`), { mode: 0o600 })
  const port = await freePort()
  const config = join(directory, 'sshd_config')
  writeFileSync(
    config,
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${authorized}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'Subsystem sftp internal-sftp',
      ...lines,
      // bash reads no .bashrc then: what this host's user has in it does not count. The first SetEnv holds.
      'SetEnv SHLVL=2',
      '',
    ].join('\n'),
  )
  // Its service makes this directory; without it sshd does not start.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const child = spawn(PROGRAM, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  await listening(child)
  const cut = () => {
    for (const pid of childrenOf(child.pid ?? 0)) kill(pid)
  }
  return {
    port,
    user: userInfo().username,
    hostKey: readFileSync(`${hostKey}.pub`, 'utf8').trim(),
    identityFile: userKey,
    directory,
    async stop() {
      cut()
      if (child.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill()
        await ended
      }
      rmSync(directory, { recursive: true, force: true })
    },
    cut,
  }
}

export function makeKey(directory: string, name: string, type = 'ed25519'): string {
  const path = join(directory, name)
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', path])
  return path
}

async function listening(child: ChildProcess): Promise<void> {
  const said: string[] = []
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream })
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Error(`${PROGRAM} does not start (Debian: openssh-server): ${error.message}`)),
    )
    child.once('exit', () => reject(new Error(`sshd ended: ${said.join('\n')}`)))
    lines.on('line', (line) => {
      said.push(line)
      if (/Server listening/.test(line)) resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
