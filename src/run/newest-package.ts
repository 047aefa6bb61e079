/**
 * The newest signed package that this machine has had. An old package keeps its valid signature and its known holes, so an
 * older one is refused. It is noted beside the keys, which reset leaves: else a reset would let the old one in.
 */

import { readFileSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compareVersions, parseVersion } from '../config/versions.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { PackageManifest } from '../package/index.ts'

const NAME = 'newest.json'

type Versions = Pick<PackageManifest, 'edgeVersion' | 'kubernetesVersion'>

/** @throws EdgeadmError class `package`: a newer one was here; `usage`: what is noted cannot be read */
export function refuseOlder(manifest: Versions, path: string, keys: string): void {
  const noted = read(keys)
  if (noted === undefined || compare(manifest, noted) >= 0) return
  throw new EdgeadmError(
    'package',
    `${path} (${say(manifest)}) is older than a signed package that this machine has had (${say(noted)})`,
    { fix: 'take the newer package; if the older one is meant, give --allow-downgrade' },
  )
}

/** Called when a package was used. @param keys the folder of keys; a single key has no place to note it */
export async function noteNewest(manifest: Versions, keys: string | undefined): Promise<void> {
  if (keys === undefined || statSync(keys, { throwIfNoEntry: false })?.isDirectory() !== true) return
  const noted = read(keys)
  if (noted !== undefined && compare(manifest, noted) <= 0) return
  const { edgeVersion, kubernetesVersion } = manifest
  const path = join(keys, NAME)
  await writeFile(`${path}.new`, `${JSON.stringify({ edgeVersion, kubernetesVersion })}\n`, {
    mode: 0o644,
    flush: true,
  })
  await rename(`${path}.new`, path)
}

function read(keys: string): Versions | undefined {
  const path = join(keys, NAME)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new EdgeadmError('usage', `${path} cannot be read: ${messageOf(error)}`)
  }
  try {
    const value = JSON.parse(text) as Versions
    if (parse(value.edgeVersion) && parse(value.kubernetesVersion)) return value
  } catch {
    // Said below, as any other content that is none of ours.
  }
  throw new EdgeadmError('usage', `${path} does not hold the versions of a package`, {
    fix: 'look at who changed it; `edgeadm package inspect` shows the versions of the newest package, or remove the file',
  })
}

const withV = (version: string) => (version.startsWith('v') ? version : `v${version}`)
const parse = (version: unknown) => typeof version === 'string' && parseVersion(withV(version)) !== undefined

function compare(one: Versions, other: Versions): number {
  return (
    compareVersions(withV(one.edgeVersion), withV(other.edgeVersion)) ||
    compareVersions(one.kubernetesVersion, other.kubernetesVersion)
  )
}

function say({ edgeVersion, kubernetesVersion }: Versions): string {
  return `edgeadm ${edgeVersion}, Kubernetes ${kubernetesVersion}`
}
