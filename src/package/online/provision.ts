/** Downloads what a plan names, and puts it together as an unpacked package. */

import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { waitForLock } from '../../host/flock.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { bytes } from '../../output/text.ts'
import { VERSION } from '../../version.ts'
import { assembleFolder } from '../build/assemble-folder.ts'
import { componentsDirectory, downloadsDirectory, lookUpOrMake } from '../build/cache.ts'
import { makeComponent } from '../build/make.ts'
import type { MadeComponent } from '../build/record.ts'
import type { Servers } from '../download/servers.ts'
import type { PackageManifest } from '../manifest.ts'
import { asWriteError } from '../write-error.ts'
import type { OnlinePlan, OnlineStep } from './plan.ts'
import type { Download } from './survey.ts'

/** Downloads at a time. */
const AT_ONCE = 4

/** A download, what becomes of it, and the unpacked layers of an image. */
const ROOM = 3

export interface ProvisionOptions extends Reporting {
  readonly cache: string
  readonly servers: (step: OnlineStep) => Servers
  readonly downloads: readonly Download[]
}

/** @throws EdgeadmError class `package`: a server gives wrong bytes or nothing; `preflight`: the disk is full */
export async function provision(
  plan: OnlinePlan,
  options: ProvisionOptions,
): Promise<{ path: string; manifest: PackageManifest }> {
  const { cache, emit, signal } = options
  const { steps, arch, kubernetesVersion } = plan
  const root = componentsDirectory(cache)
  const downloads = downloadsDirectory(cache)
  try {
    for (const folder of [cache, root, downloads]) await mkdir(folder, { recursive: true, mode: 0o755 })
  } catch (error) {
    throw asWriteError(error, `downloads cannot be kept in ${cache}`, cache)
  }
  const lock = await waitForLock(join(cache, '.lock'), signal, () =>
    emit({ type: 'output', text: 'Another run is downloading: waiting for it' }),
  )
  try {
    await checkRoom(options)
    const made = new Map<string, MadeComponent>()
    const limit = pLimit(AT_ONCE)
    const work = steps.map((step) =>
      limit(async () => {
        signal.throwIfAborted()
        const { component, source, programs, key } = step
        const make = (folder: string) =>
          makeComponent(source, {
            emit,
            signal,
            component,
            arch,
            programs,
            folder,
            downloads: join(downloads, key),
            servers: options.servers(step),
            made: (name) => made.get(name) as MadeComponent,
          })
        made.set(component.name, await lookUpOrMake(key, make, options, root))
        await rm(join(downloads, key), { recursive: true, force: true })
      }),
    )
    try {
      await Promise.all(work)
    } catch (error) {
      limit.clearQueue()
      throw error
    }
    return await assembleFolder(cache, {
      emit,
      signal,
      kubernetesVersion,
      edgeVersion: VERSION,
      arch,
      steps,
      made,
    })
  } finally {
    await lock.release()
  }
}

async function checkRoom({ cache, downloads }: ProvisionOptions): Promise<void> {
  const wanted = ROOM * downloads.reduce((sum, { size }) => sum + (size ?? 0), 0)
  const { bavail, bsize } = await statfs(cache)
  const free = bavail * bsize
  if (free >= wanted) return
  throw new EdgeadmError(
    'preflight',
    `the downloads need about ${bytes(wanted)} in ${cache}, and ${bytes(free)} are free there`,
    { fix: `make room there, or mount a disk on ${cache}` },
  )
}
