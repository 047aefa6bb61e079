/**
 * The root file system that all machines start from: a small Debian 12 with systemd, made once by mmdebstrap and kept in
 * the user's cache under a key of its recipe. (Debian 12: its systemd 252 runs on cgroup version 1 and 2 alike; 257 and
 * later do not.)
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { templateText } from '../templates.ts'
import { probe } from './command.ts'
import { withLock } from './lock.ts'
import { baseImageCache } from './paths.ts'
import { takeSnapshot, writeSnapshot } from './snapshot.ts'

const SUITE = 'bookworm'
const PACKAGES = [
  'systemd systemd-sysv dbus udev openssh-server ca-certificates curl',
  'iproute2 iptables nftables ebtables conntrack ethtool socat iputils-ping bind9-dnsutils netcat-openbsd',
  'kmod procps mount jq less zstd',
]
  .join(' ')
  .split(' ')

export interface BaseImage {
  readonly root: string
  /** Snapshot of `root`, with hashes. */
  readonly snapshot: string
}

function imageAt(directory: string): BaseImage {
  return { root: join(directory, 'root'), snapshot: join(directory, 'snapshot.json') }
}

/** Makes the base image unless it is cached. Safe when two do so at once, and after a kill at any moment. */
export async function ensureBaseImage(reporting: Reporting): Promise<BaseImage> {
  const setup = templateText('lab/base-setup')
  const key = createHash('sha256')
    .update(JSON.stringify([SUITE, PACKAGES, setup]))
    .digest('hex')
    .slice(0, 16)
  const directory = join(baseImageCache(), key)
  if (existsSync(directory)) return imageAt(directory)
  await mkdir(dirname(directory), { recursive: true })
  return withLock(directory, reporting, async () => {
    if (existsSync(directory)) return imageAt(directory) // made by another run meanwhile
    await removeLeftovers(directory)
    const temporary = `${directory}.tmp-${process.pid}`
    await mkdir(temporary, { mode: 0o755 })
    try {
      await build(temporary, setup, reporting)
      await rename(temporary, directory)
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw error
    }
    return imageAt(directory)
  })
}

/** Half-made images of runs that were killed; the lock says that nobody works on them any more. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(dirname(directory)))
    if (name.startsWith(`${basename(directory)}.tmp-`))
      await rm(join(dirname(directory), name), { recursive: true, force: true, maxRetries: 5 })
}

async function build(directory: string, setup: string, { emit, signal }: Reporting): Promise<void> {
  const image = imageAt(directory)
  const script = join(directory, 'base-setup')
  await writeFile(script, setup)
  await chmod(script, 0o755)
  emit({
    type: 'output',
    text: 'making the base image of the machines (Debian 12, about 300 MB, kept for next time)',
  })
  // Namespaces of its own and the death signal: whatever ends this process ends mmdebstrap with all its mounts.
  const contained =
    'setpriv --pdeathsig=KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc'.split(' ')
  const command = [
    ...contained.slice(1),
    'mmdebstrap',
    '--mode=root',
    '--format=directory',
    '--variant=minbase',
    `--include=${PACKAGES.join(',')}`,
    ...(await proxyOptions()),
    `--customize-hook=${script}`,
    SUITE,
    image.root,
  ]
  const result = await probe(contained[0] as string, command, { signal, onLine: stepReporter(emit) })
  if (result.exitCode !== 0)
    throw new EdgeadmError('phase', 'the base image of the machines could not be made: mmdebstrap failed', {
      fix: 'it needs a Debian mirror: check that apt-get update works on this host',
      details: result.stderr.split('\n').filter(Boolean).slice(-12),
    })
  await rm(script)
  await writeSnapshot(image.snapshot, await takeSnapshot(image.root))
}

/** mmdebstrap does not read the host's apt configuration; a proxy named there is needed all the same. */
async function proxyOptions(): Promise<string[]> {
  const { stdout } = await probe('apt-config', ['shell', 'PROXY', 'Acquire::http::Proxy'])
  const proxy = /^PROXY='(.+)'$/m.exec(stdout)?.[1]
  return proxy ? [`--aptopt=Acquire::http::Proxy "${proxy}"`] : []
}

/** How many messages mmdebstrap writes. */
const STEPS = 10

/** mmdebstrap's own messages ("I: extracting archives...") as steps. */
function stepReporter(emit: Reporting['emit']): (line: string) => void {
  let done = 0
  return (line) => {
    if (!line.startsWith('I: ')) return
    done += 1
    const task = `base image: ${line.slice(3).replace(/\.\.\.$| directly:.*$/, '')}`
    emit({ type: 'progress', task, done, total: Math.max(STEPS, done), unit: 'items' })
  }
}
