/** What is on record about paths that others will make or change: kubeadm, the kubelet, a CNI plugin. */

import { dirname, join, resolve } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Before } from './ledger.ts'
import type { Machine } from './machine.ts'
import type { Recorder } from './recorder.ts'

/** Directories are small there, and kubeadm's reset empties some of them whoever their files belong to. */
const DEEP = '/etc/'

/** See `Host.claim`. A link to a directory, for data on another disk, stays; what is claimed is the directory. */
export async function claimPath(
  machine: Machine,
  recorder: Recorder,
  named: string,
  { emptied, quiet }: { emptied?: boolean; quiet?: boolean },
): Promise<void> {
  const path = await followLinks(machine, named)
  if (await recorder.hasRecord(path)) return
  const stat = await machine.stat(path)
  if (stat !== undefined && stat.type !== 'directory') return
  const claim = { kind: 'claim', path } as const
  const announce = { action: 'claim', target: path, ...(quiet === true ? { quiet } : {}) }
  if (stat === undefined) {
    await recorder.announce({ change: { ...claim, kept: null }, ...announce })
  } else if (emptied === true || path.startsWith(DEEP)) {
    const kept = await recordTree(machine, recorder, path)
    await recorder.announce({ change: { ...claim, kept, deep: true }, ...announce })
  } else {
    await recorder.announce({ change: { ...claim, kept: await machine.list(path) }, ...announce })
  }
}

/** As many links as the kernel follows (path_resolution(7)). */
const LINKS = 40

/** Where a path leads if it is a link itself; links among its parents make no difference. */
async function followLinks(machine: Machine, path: string): Promise<string> {
  let target = path
  for (let count = 0; count < LINKS && (await machine.stat(target))?.type === 'symlink'; count += 1)
    target = resolve(dirname(target), await machine.readLink(target))
  return target
}

/**
 * Puts all that is in a directory on record, what is in a directory before the directory itself: played backwards, the
 * directory comes first. Returns the paths relative to `root`.
 */
async function recordTree(
  machine: Machine,
  recorder: Recorder,
  root: string,
  below: string = '',
): Promise<string[]> {
  const kept: string[] = []
  for (const name of await machine.list(join(root, below))) {
    const relative = join(below, name)
    const path = join(root, relative)
    kept.push(relative)
    const type = (await machine.stat(path))?.type
    if (type === 'directory') kept.push(...(await recordTree(machine, recorder, root, relative)))
    // Sockets and devices: nobody puts those there, and they have no contents to keep.
    if (type === 'other' || type === undefined || (await recorder.hasRecord(path))) continue
    const before = await stateOf(machine, recorder, path)
    await recorder.announce({
      change: { kind: 'file', path, before, kept: true },
      action: 'keep',
      target: path,
      quiet: true,
    })
  }
  return kept
}

/** The state of a path as it goes on record; contents are kept with it. */
export async function stateOf(machine: Machine, recorder: Recorder, path: string): Promise<Before> {
  const stat = await machine.stat(path)
  if (stat === undefined) return { type: 'absent' }
  const { mode, uid, gid } = stat
  switch (stat.type) {
    case 'symlink':
      return { type: 'symlink', target: await machine.readLink(path) }
    case 'directory':
      return { type: 'directory', mode, uid, gid }
    case 'file': {
      const content = await recorder.keep((await machine.readFile(path)) ?? Buffer.alloc(0))
      return { type: 'file', content, mode, uid, gid, modified: await machine.modified(path) }
    }
    case 'other':
      throw new EdgeadmError('phase', `${path} is a device or a socket, where a file is expected`)
  }
}
