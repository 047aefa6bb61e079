/** What a machine's root file system gets before its first boot, so that it does not count as a change since boot. */

import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { render } from '../templates.ts'
import { hierarchies } from './cgroups.ts'
import { run } from './command.ts'
import { type MachineSpec, NETWORK } from './names.ts'
import { machinePaths } from './paths.ts'
import { hasSwap, hasSysResource } from './requirements.ts'

/** In TEST-NET-1 (RFC 5737): the machines' network drops what goes there without a word. */
const SILENT_RESOLVER = '192.0.2.53'

export interface MachineFilesOptions {
  readonly lab: string
  readonly baseRoot: string
  readonly machines: readonly MachineSpec[]
  /** `none`: names come from /etc/hosts only; `silent`: a resolver is set that never answers. */
  readonly resolver: 'none' | 'silent'
  readonly signal: AbortSignal
}

/** Copies the base image (shared blocks where the file system can) and makes it this machine's. */
export async function makeMachineFiles(machine: MachineSpec, options: MachineFilesOptions): Promise<void> {
  const { directory, root } = machinePaths(options.lab, machine.name)
  await mkdir(directory, { recursive: true })
  await run('cp', ['--archive', '--reflink=auto', options.baseRoot, root], { signal: options.signal })
  const put = (path: string, text: string, mode = 0o644) => putFile(join(root, path), text, mode)

  await put('etc/hostname', `${machine.name}\n`)
  await put('etc/machine-id', `${randomBytes(16).toString('hex')}\n`)
  await put('etc/hosts', render('lab/hosts', { machines: options.machines }))
  await put('etc/resolv.conf', options.resolver === 'silent' ? `nameserver ${SILENT_RESOLVER}\n` : '')
  await put('usr/local/lib/edgeadm-lab/boot', render('lab/boot', { ...machine, ...NETWORK }), 0o755)
  await put('etc/systemd/system/edgeadm-lab.service', render('lab/boot.service'))
  await mkdir(join(root, 'etc/systemd/system/sysinit.target.wants'), { recursive: true })
  await run('ln', [
    '--symbolic',
    '../edgeadm-lab.service',
    join(root, 'etc/systemd/system/sysinit.target.wants/edgeadm-lab.service'),
  ])
  await putHostLimits(put)
}

/** A user's settings for machines like these, never the product's defaults; only what this host calls for. */
async function putHostLimits(put: (path: string, text: string) => Promise<void>): Promise<void> {
  const cgroup1 = (await hierarchies()).some((hierarchy) => hierarchy.version === 1)
  await put('root/cluster.yaml', render('lab/cluster.yaml', { swap: await hasSwap(), cgroup1 }))
  if (!(await hasSysResource())) await put('etc/containerd/conf.d/10-lab.toml', render('lab/containerd.toml'))
}

async function putFile(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text, { mode })
}
