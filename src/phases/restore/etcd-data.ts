import { join } from 'node:path'
import type { Host } from '../../host/host.ts'
import { staticPodFlags } from '../../kubernetes/static-pod.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { SNAPSHOT } from '../backup/format.ts'
import { restoreSnapshot } from '../etcd/snapshot.ts'
import { ETCD_MANIFEST, type EtcdTools, imageIn, withEtcdTools } from '../etcd/tools.ts'
import { type OpenBackup, REVISION_BUMP } from './context.ts'

/** Where the data before the restore stay: beside the new ones, so that reset takes them, too. @param time RFC 3339 */
export const asideName = (time: string) => `before-restore-${time.replaceAll(/[-:]|\.\d+/g, '')}`

/**
 * Restores the snapshot as a cluster of this one member, under the name and address that its manifest has. A directory that
 * is there is put aside, not removed. etcd must not run.
 */
export async function restoreEtcdData(host: Host, { directory }: OpenBackup, dryRun: boolean): Promise<void> {
  const manifest = await host.readFile(ETCD_MANIFEST)
  const flags = await staticPodFlags(host, 'etcd')
  const image = imageIn(manifest)
  const [data, name, peerUrl] = ['data-dir', 'name', 'initial-advertise-peer-urls'].map((flag) =>
    flags?.get(flag),
  )
  if (image === undefined || data === undefined || name === undefined || peerUrl === undefined)
    throw new EdgeadmError(
      'phase',
      `${ETCD_MANIFEST} names no image, data-dir, name or initial-advertise-peer-urls`,
    )
  const scratch = join(data, '.restoring')
  await host.run('mkdir', ['-p', '-m', '0700', data], { title: `make ${data}`, undo: null })
  await host.run('rm', ['-rf', scratch], { title: `remove ${scratch}`, undo: null })
  const restore = (tools: EtcdTools) =>
    restoreSnapshot(host, tools, join(directory, SNAPSHOT), {
      directory: scratch,
      name,
      peerUrl,
      bump: REVISION_BUMP,
    })
  await (dryRun
    ? restore({ etcd: 'etcd', etcdctl: 'etcdctl', etcdutl: 'etcdutl' })
    : withEtcdTools(host, image, restore))
  const member = join(data, 'member')
  if ((await host.stat(member)) !== undefined) {
    const aside = join(data, asideName(new Date().toISOString()))
    await host.run('mv', [member, aside], { title: `put the data of etcd aside: ${aside}`, undo: null })
  }
  // One rename: either all of it is there, or nothing.
  await host.run('mv', [join(scratch, 'member'), member], {
    title: `put the restored data to ${member}`,
    undo: null,
  })
  await host.run('sh', ['-c', 'rm -rf "$1" && sync -f "$2"', 'clean', scratch, data], {
    title: `remove ${scratch}`,
    undo: null,
  })
}
