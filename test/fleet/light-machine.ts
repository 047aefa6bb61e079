/**
 * Machines for the controller's tests: an sshd in a mount namespace of its own, whose root is this host's, with everything
 * that is written going to memory. Root only. What runs in them for edgeadm and kubectl is stub/: this tests the controller.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { makeKey } from './sshd.ts'

const STUBS = fileURLToPath(new URL('stub/', import.meta.url))
const REAL = fileURLToPath(new URL('../../bin/edgeadm.ts', import.meta.url))

export interface LightMachine {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Runs a shell script in it. */
  run(script: string): string
  /** Ends its sshd: nobody answers any more. What was started in it by then runs on. */
  stop(): Promise<void>
}

export interface LightOptions {
  /** Of the loopback device; default 127.0.0.1. */
  readonly address?: string
  /** Public keys that may log in; default: the fleet's. */
  readonly authorizedKeys?: string
  /** Further lines of sshd_config. */
  readonly sshd?: readonly string[]
  /** Files that it has beside those of this host: path and content. */
  readonly files?: Readonly<Record<string, string>>
}

export interface LightFleet {
  readonly directory: string
  readonly hostKey: string
  readonly identityFile: string
  /** The stub that hosts get as their edgeadm. */
  readonly executable: string
  start(name: string, options?: LightOptions): Promise<LightMachine>
  /** What was done to the cluster, in order. */
  history(): string[]
  nodes(): Record<string, { labels: Record<string, string>; taints: unknown }>
  stop(): Promise<void>
}

/** In the namespace: $1 where the root is put together, $2 the shared folder, $3 the machine's own files, $4 sshd_config. */
const BOOT = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
cp -a "$3/." "$1/upper/"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for directory in proc dev sys; do mount --rbind "/$directory" "$1/root/$directory"; done
mkdir -p "$1/root/srv/cluster"
mount --bind "$2" "$1/root/srv/cluster"
exec chroot "$1/root" /usr/sbin/sshd -D -e -f "$4"`

export function lightFleet(firstPort: number): LightFleet {
  const directory = mkdtempSync(join(tmpdir(), 'edgeadm-fleet-'))
  const shared = join(directory, 'cluster')
  mkdirSync(shared)
  const hostKey = makeKey(directory, 'host')
  const identityFile = makeKey(directory, 'user')
  execFileSync(
    'openssl',
    [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=kubernetes -days 1'.split(
        ' ',
      ),
      ...['-keyout', join(directory, 'ca.key'), '-out', join(directory, 'ca.crt')],
    ],
    { stdio: 'ignore' },
  )
  const children: ChildProcess[] = []
  let port = firstPort
  return {
    directory,
    hostKey: readFileSync(`${hostKey}.pub`, 'utf8').trim(),
    identityFile,
    executable: join(STUBS, 'edgeadm'),
    async start(name, options = {}) {
      port += 1
      const own = port
      const { address = '127.0.0.1', sshd = [] } = options
      const files = join(directory, name)
      for (const path of ['etc', 'srv', 'usr/local/bin', 'run/sshd', 'root', 'var/lib'])
        mkdirSync(join(files, path), { recursive: true })
      chmodSync(join(files, 'root'), 0o700)
      writeFileSync(join(files, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`)
      writeFileSync(
        join(files, 'srv/authorized_keys'),
        options.authorizedKeys ?? readFileSync(`${identityFile}.pub`),
      )
      cpSync(hostKey, join(files, 'srv/host_key'))
      cpSync(join(directory, 'ca.crt'), join(files, 'srv/ca.crt'))
      const real = `#!/bin/sh\nexec ${process.execPath} ${REAL} "$@"\n`
      writeFileSync(join(files, 'srv/edgeadm'), real, { mode: 0o755 })
      const kubectl = readFileSync(join(STUBS, 'kubectl.mjs'), 'utf8').replace(
        /^#!.*/,
        `#!${process.execPath}`,
      )
      writeFileSync(join(files, 'usr/local/bin/kubectl'), kubectl, { mode: 0o755 })
      writeFileSync(
        join(files, 'srv/sshd_config'),
        [
          `ListenAddress ${address}:${own}`,
          'HostKey /srv/host_key',
          'AuthorizedKeysFile /srv/authorized_keys',
          'PidFile none',
          'StrictModes no',
          'UsePAM no',
          'PermitRootLogin yes',
          'PasswordAuthentication no',
          'MaxStartups 10:30:100',
          'MaxSessions 4',
          // bash reads no .bashrc then: what this host's user has in it does not count.
          'SetEnv SHLVL=2',
          ...sshd,
          '',
        ].join('\n'),
      )
      for (const [path, content] of Object.entries(options.files ?? {})) {
        mkdirSync(dirname(join(files, path)), { recursive: true })
        writeFileSync(join(files, path), content, { mode: content.startsWith('#!') ? 0o755 : 0o644 })
      }
      const place = join(directory, `${name}.root`)
      mkdirSync(place)
      const child = spawn(
        'unshare',
        [
          '--mount',
          '--propagation=private',
          '--',
          'sh',
          '-c',
          BOOT,
          'boot',
          place,
          shared,
          files,
          '/srv/sshd_config',
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      )
      children.push(child)
      await listening(child)
      return {
        name,
        address,
        port: own,
        run: (script) =>
          execFileSync(
            'nsenter',
            [`--target=${child.pid}`, '--mount', '--root', '--wd', '--', 'sh', '-c', script],
            {
              encoding: 'utf8',
            },
          ),
        stop: () => end(child),
      }
    },
    history: () => readFileSync(join(shared, 'history'), 'utf8').trim().split('\n'),
    nodes: () => {
      const names = execFileSync('ls', [join(shared, 'nodes')], { encoding: 'utf8' })
        .trim()
        .split('\n')
      return Object.fromEntries(
        names.map((name) => {
          const { metadata, spec } = JSON.parse(readFileSync(join(shared, 'nodes', name), 'utf8'))
          return [name, { labels: metadata.labels, taints: spec.taints }]
        }),
      )
    },
    async stop() {
      await Promise.all(children.map(end))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill()
  await ended
}

async function listening(child: ChildProcess): Promise<void> {
  const said: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the machine ended: ${said.join('\n')}`)))
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      said.push(line)
      if (/Server listening/.test(line)) resolve()
    })
  })
}

/** The first lines of an inventory of light machines, up to its sites, rollout and hosts. */
export const inventoryHead = ({ executable, identityFile, hostKey }: LightFleet): string[] => [
  'apiVersion: edgeadm.io/v1alpha1',
  'kind: Cluster',
  'metadata: {name: shop}',
  'spec:',
  '  package: package.tar',
  `  executable: ${executable}`,
  `  ssh: {user: root, jump: none, identityFile: ${identityFile}, hostKey: "${hostKey}"}`,
]
