import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Architecture } from './manifest.ts'

/** Where edgeadm keeps what it can make again: `$XDG_CACHE_HOME/edgeadm`, by default `~/.cache/edgeadm`. */
export function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'edgeadm')
}

export function packageFileName(options: {
  /** Version of edgeadm, without "v". */
  edgeVersion: string
  /** With "v". */
  kubernetesVersion: string
  arch: Architecture
  /** What tells it from the default package: `load-balancer`, `no-kubeedge`. */
  variant?: readonly string[]
}): string {
  const { edgeVersion, kubernetesVersion, arch, variant = [] } = options
  return `edgeadm-${edgeVersion}-kube-${kubernetesVersion}-${[...variant, `linux-${arch}`].join('-')}.tar.zst`
}

/** Where `package build` puts packages unless told otherwise. */
export function packagesDirectory(): string {
  return join(cacheDirectory(), 'packages')
}

/** The package that `package build` makes unless told otherwise. */
export function defaultPackagePath(options: Parameters<typeof packageFileName>[0]): string {
  return join(packagesDirectory(), packageFileName(options))
}

/** Whether a path from an archive could end anywhere but under the archive's root, or is not in its plain form. */
export function unsafePath(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.includes('\\') || path.includes('\0')) return true
  return path.split('/').some((part) => part === '' || part === '.' || part === '..')
}
