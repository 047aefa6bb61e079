/** What a host must have before it can carry a lab, and how it gets it. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { probe, run } from './command.ts'

/** Programs the lab calls, and the Debian and Ubuntu packages they come from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  'systemd-nspawn': 'systemd-container',
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
}
/** What apt trusts a Debian archive by; Ubuntu does not have it by itself. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Drivers that machines use but cannot load themselves, and where it shows that they are there. */
const MODULES: Readonly<Record<string, string>> = {
  overlay: '/sys/module/overlay',
  br_netfilter: '/proc/sys/net/bridge',
  vxlan: '/sys/module/vxlan',
  nf_conntrack: '/proc/sys/net/netfilter/nf_conntrack_max',
}

/** @throws {EdgeadmError} class `preflight` */
export function requireRoot(): void {
  if (process.platform !== 'linux')
    throw new EdgeadmError('preflight', `a lab needs Linux; this is ${process.platform}`)
  if (process.getuid?.() !== 0)
    throw new EdgeadmError('preflight', 'a lab boots machines, which only root may do', {
      fix: 'run the same command with sudo',
    })
}

/**
 * Installs missing programs with apt and loads missing drivers.
 * @throws {EdgeadmError} class `preflight` where that is not possible
 */
export async function ensureRequirements(reporting: Reporting): Promise<void> {
  requireRoot()
  const packages = await missingPackages()
  if (packages.length > 0) await installPackages(packages, reporting)
  await loadModules(reporting)
}

async function missingPackages(): Promise<string[]> {
  const missing = new Set<string>()
  for (const [program, name] of Object.entries(PROGRAMS)) if (!isInstalled(program)) missing.add(name)
  if (!existsSync(KEYRING)) missing.add('debian-archive-keyring')
  return [...missing].sort()
}

function isInstalled(program: string): boolean {
  const path = process.env.PATH ?? ''
  return [...path.split(':'), '/usr/sbin', '/sbin'].some((directory) => existsSync(`${directory}/${program}`))
}

async function installPackages(packages: readonly string[], { emit, signal }: Reporting): Promise<void> {
  if (!isInstalled('apt-get'))
    throw new EdgeadmError('preflight', `this host lacks what a lab needs: ${packages.join(', ')}`, {
      fix: "install them with this system's package manager; edgeadm does it by itself on Debian and Ubuntu",
    })
  emit({ type: 'output', text: `installing ${packages.join(', ')}` })
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const onLine = lineReporter(emit)
  // Another apt may be at work (unattended-upgrades does so after boot): wait for its lock.
  const wait = ['-o', 'DPkg::Lock::Timeout=300', '-q']
  // A source that cannot be reached must not stop the others; what is really missing the installation says.
  const update = await probe('apt-get', [...wait, 'update'], { env, signal, onLine })
  if (update.exitCode !== 0) emit({ type: 'warning', text: 'apt-get update failed; using its older lists' })
  await run('apt-get', [...wait, 'install', '--yes', '--no-install-recommends', ...packages], {
    env,
    signal,
    onLine,
  })
}

/** Shows apt's work as progress: one item for each package that is fetched, unpacked or set up. */
function lineReporter(emit: Reporting['emit']): (line: string) => void {
  let done = 0
  return (line) => {
    if (!/^(Get:|Unpacking|Setting up)/.test(line)) return
    done += 1
    emit({ type: 'progress', task: 'installing packages', done, total: 0, unit: 'items' })
  }
}

async function loadModules({ emit, signal }: Reporting): Promise<void> {
  for (const [module, sign] of Object.entries(MODULES)) {
    if (existsSync(sign) || (await isBuiltIn(module))) continue
    const result = await probe('modprobe', [module], { signal })
    if (result.exitCode !== 0 && !(await isRegistered(module)))
      emit({
        type: 'warning',
        text: `this host's kernel has no ${module}: clusters in the lab may not come up`,
      })
  }
}

async function isBuiltIn(module: string): Promise<boolean> {
  const release = (await readFile('/proc/sys/kernel/osrelease', 'utf8')).trim()
  const list = `/lib/modules/${release}/modules.builtin`
  return existsSync(list) && (await readFile(list, 'utf8')).includes(`/${module.replaceAll('_', '[-_]')}.ko`)
}

/** A kernel without modules says what it has only in its lists of file systems and link types. */
async function isRegistered(module: string): Promise<boolean> {
  if (module === 'overlay') return /\boverlay$/m.test(await readFile('/proc/filesystems', 'utf8'))
  const tried = await probe('unshare', [
    '--net',
    'ip',
    'link',
    'add',
    'probe0',
    'type',
    module,
    'id',
    '1',
    'dstport',
    '0',
  ])
  return tried.exitCode === 0
}

/** CAP_SYS_RESOURCE, number 24 in capabilities(7): without it no process may lower its out-of-memory score. */
export async function hasSysResource(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8')
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  return ((bounding >> 24n) & 1n) === 1n
}

/** Whether the host swaps; its machines see the same /proc/swaps. */
export async function hasSwap(): Promise<boolean> {
  return (await readFile('/proc/swaps', 'utf8')).trim().split('\n').length > 1
}
