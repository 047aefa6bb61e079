/** The image of the program beside this file, built with Go and written as a docker archive, which `ctr images import` takes. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const IMAGE = 'docker.io/edgeadm-test/in-cluster:v1'

/** Resolves with the archive's bytes. Go's own cache makes all but the first build quick. */
export async function inClusterImage(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeadm-in-cluster-'))
  try {
    const flags = ['build', '-trimpath', '-ldflags=-s -w', '-o', join(folder, 'in-cluster'), '.']
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off' }
    await run('go', flags, { cwd: fileURLToPath(new URL('.', import.meta.url)), env })
    await run('tar', ['-C', folder, '-cf', join(folder, 'layer.tar'), 'in-cluster'])
    const layer = createHash('sha256')
      .update(await readFile(join(folder, 'layer.tar')))
      .digest('hex')
    const config = {
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/in-cluster'], User: '65532:65532' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    }
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }]
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
    await run('tar', [
      '-C',
      folder,
      '-cf',
      join(folder, 'image.tar'),
      'manifest.json',
      'config.json',
      'layer.tar',
    ])
    return await readFile(join(folder, 'image.tar'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
