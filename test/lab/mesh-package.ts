/** A package with EdgeMesh from the archive that EDGEADM_EDGEMESH_ARCHIVE names. */

import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EXECUTABLE } from './artifacts.ts'

const run = promisify(execFile)

export interface MeshPackage {
  readonly path: string
  /** Whether the archive has the gateway's image, too. */
  readonly gateway: boolean
}

/** The other parts come from the cache; the caller removes the folder of `path`. */
export async function meshPackage(archive: string): Promise<MeshPackage> {
  const index = await run('tar', ['-xOf', archive, '--wildcards', '--no-anchored', 'index.json'])
  const gateway = /\/edgemesh-gateway[:@"]/.test(index.stdout)
  const folder = await mkdtemp(join(tmpdir(), 'edgeadm-mesh-'))
  const args = ['package', 'build', `--output-dir=${folder}`, '--with=load-balancer', '--with=edgemesh']
  for (const part of gateway ? ['agent', 'gateway'] : ['agent'])
    args.push('--archive', `edgemesh-${part}-image=${archive}`)
  if (!gateway) args.push('--without', 'edgemesh-gateway-image')
  const { stdout } = await run(EXECUTABLE, args)
  return { path: stdout.trim().split('\n').at(-1) ?? '', gateway }
}
