import { EdgeadmError } from '../output/errors.ts'
import type { Architecture, PackageManifest } from './manifest.ts'

/** This machine's architecture in Kubernetes' words; anything but amd64 and arm64 is returned as Node.js names it. */
export function machineArchitecture(nodeArch: string = process.arch): string {
  return nodeArch === 'x64' ? 'amd64' : nodeArch
}

/**
 * @param path the package, for the error
 * @throws EdgeadmError class `package` if the package is for other machines
 */
export function checkArchitecture(
  manifest: Pick<PackageManifest, 'arch'>,
  path: string,
  machine: Architecture | string = machineArchitecture(),
): void {
  if (manifest.arch === machine) return
  throw new EdgeadmError(
    'package',
    `${path} is for linux/${manifest.arch}, this machine is linux/${machine}`,
    {
      fix: `take the package for linux/${machine}, or build it with \`edgeadm package build --arch ${machine}\``,
    },
  )
}
