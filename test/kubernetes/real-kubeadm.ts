import { globSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { cacheDirectory } from '../../src/package/paths.ts'

/** The real kubeadm, if `package build` has made one on this host (or EDGEADM_TEST_KUBEADM names one). */
export async function findKubeadm(): Promise<{ path: string; version: string } | undefined> {
  const named = process.env.EDGEADM_TEST_KUBEADM
  const candidates = named ? [named] : globSync(join(cacheDirectory(), 'components', '**', 'kubeadm'))
  for (const path of candidates) {
    const { stdout, exitCode } = await execa(path, ['version', '-o', 'short'], { reject: false })
    if (exitCode === 0) return { path, version: stdout.trim() }
  }
  return undefined
}
