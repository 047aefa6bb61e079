import type { PackageManifest } from '../package/index.ts'

/** The edge parts of a package. */
export interface EdgeParts {
  /** With "v"; what `edgecore --version` says. */
  readonly version: string
  readonly cloudCoreImage: string
  readonly iptablesManagerImage: string
  readonly pauseImage: string
}

/** On CloudCore's Deployment or DaemonSet: edgeadm's additions that it was built with, separated by spaces. */
export const ADDITIONS_ANNOTATION = 'edgeadm.io/additions'

/** Undefined if the package lacks any of them. */
export function edgeParts(manifest: PackageManifest | undefined): EdgeParts | undefined {
  const version = manifest?.components.find(({ name }) => name === 'kubeedge')?.version
  const cloudCoreImage = imageNamed(manifest, /\/cloudcore:/)
  const iptablesManagerImage = imageNamed(manifest, /\/iptables-manager(-nft)?:/)
  const pauseImage = imageNamed(manifest, /\/pause:/)
  const hasEdgeCore = manifest?.files.some(({ path }) => path === 'bin/edgecore') === true
  if (!version || !cloudCoreImage || !iptablesManagerImage || !pauseImage || !hasEdgeCore) return undefined
  return { version, cloudCoreImage, iptablesManagerImage, pauseImage }
}

function imageNamed(manifest: PackageManifest | undefined, pattern: RegExp): string | undefined {
  return manifest?.images.find(({ name }) => pattern.test(name))?.name
}
