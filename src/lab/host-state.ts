/**
 * What labs change on the host as a whole, written down before the first change and put back with the last lab: the
 * kernel parameters that are the same in all network namespaces, and the mount that `ip netns` makes.
 */

import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { SET_BY_KUBELET } from '../kubernetes/kernel-parameters.ts'
import type { Reporting } from '../output/events.ts'
import { run } from './command.ts'
import { withLock } from './lock.ts'
import { HOST_STATE } from './paths.ts'
import { labNames } from './state.ts'

/** Each containerd and kubelet holds several; the kernel's default of 128 is too few for six machines. inotify(7). */
const AT_LEAST: Readonly<Record<string, number>> = {
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524_288,
}

interface HostState {
  readonly sysctls: Readonly<Record<string, string>>
  /** Whether /run/netns was there before the first lab, and whether it was a mount point. */
  readonly netns: { readonly existed: boolean; readonly mounted: boolean }
}

const NETNS = '/run/netns'

/** To be called after the lab's directory exists, so that a deletion next to it sees that there is one. */
export async function prepareHost(reporting: Reporting): Promise<void> {
  await withLock(HOST_STATE, reporting, async () => {
    if (!existsSync(HOST_STATE)) await recordHost()
    for (const [key, least] of Object.entries(AT_LEAST))
      if (Number(await readSysctl(key)) < least) await writeSysctl(key, String(least))
  })
}

/** Puts the host back if no lab is left. To be called after the lab's directory is gone. */
export async function restoreHost(reporting: Reporting): Promise<void> {
  await withLock(HOST_STATE, reporting, async () => {
    if (!existsSync(HOST_STATE) || (await labNames()).length > 0) return
    const before = JSON.parse(await readFile(HOST_STATE, 'utf8')) as HostState
    for (const [key, value] of Object.entries(before.sysctls))
      if ((await readSysctl(key)) !== value) await writeSysctl(key, value)
    await restoreNetns(before.netns)
    await rm(HOST_STATE)
  })
}

async function recordHost(): Promise<void> {
  const sysctls: Record<string, string> = {}
  for (const key of [...Object.keys(AT_LEAST), ...SET_BY_KUBELET]) {
    const value = await readSysctl(key)
    if (value !== undefined) sysctls[key] = value
  }
  const state: HostState = {
    sysctls,
    netns: { existed: existsSync(NETNS), mounted: await isMountPoint(NETNS) },
  }
  await writeFile(`${HOST_STATE}.new`, JSON.stringify(state))
  await rename(`${HOST_STATE}.new`, HOST_STATE)
}

/** Only where nobody else keeps a namespace by now. */
async function restoreNetns(before: HostState['netns']): Promise<void> {
  if (!existsSync(NETNS) || (await readdir(NETNS)).length > 0) return
  if (!before.mounted && (await isMountPoint(NETNS))) await run('umount', [NETNS])
  if (!before.existed) await rmdir(NETNS)
}

async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  return mounts.split('\n').some((line) => line.split(' ')[1] === path)
}

async function readSysctl(key: string): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/sys/${key}`, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeSysctl(key: string, value: string): Promise<void> {
  await writeFile(`/proc/sys/${key}`, value)
}
