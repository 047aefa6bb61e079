/** The offline package that a lab's cluster needs: the one that was named if it is enough, else one that is made now. */

import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { buildPackage } from '../package/build/build.ts'
import { chooseGroups } from '../package/build/groups.ts'
import {
  type Architecture,
  machineArchitecture,
  type PackageManifest,
  packagesDirectory,
  readPackageManifest,
} from '../package/index.ts'
import type { MachineCounts } from './names.ts'

export interface LabPackageOptions extends MachineCounts {
  /** Path of the package that was named. */
  readonly package?: string
  /** Nothing of the edge. */
  readonly minimal: boolean
}

/**
 * The path of a package for these machines. Without one it is built, from the cache as far as it has the components.
 * @throws {EdgeadmError} class `usage` if the named one lacks what the machines need; whatever building can fail with
 */
export async function labPackage(options: LabPackageOptions, reporting: Reporting): Promise<string> {
  if (options.package !== undefined) {
    checkContents(await readPackageManifest(options.package, reporting), options)
    return options.package
  }
  const { path } = await buildPackage({
    ...reporting,
    ...chooseGroups({ manifest: undefined, ...groupsFor(options) }),
    arch: machineArchitecture() as Architecture,
    outputDirectory: packagesDirectory(),
    archives: {},
  })
  return path
}

/** What goes into the package beyond Kubernetes and KubeEdge, and what stays out. */
export function groupsFor({ masters, minimal }: Omit<LabPackageOptions, 'package'>) {
  return { with: masters > 1 ? ['load-balancer'] : [], without: minimal ? ['kubeedge'] : [] }
}

/** Several masters share a virtual address, which haproxy and keepalived carry. @throws {EdgeadmError} class `usage` */
export function checkContents(
  { images, files }: Pick<PackageManifest, 'images' | 'files'>,
  { masters, edges, package: path }: Omit<LabPackageOptions, 'minimal'>,
): void {
  const lacks = (what: string, why: string, fix: string): never => {
    throw new EdgeadmError('usage', `the package ${path} has no ${what}, which ${why}`, {
      fix: `build one with \`${fix}\`, or leave out --package: then it is built`,
    })
  }
  if (masters > 1)
    for (const name of ['haproxy', 'keepalived'])
      if (!images.some((image) => image.name.includes(`/${name}:`)))
        lacks(name, 'several masters need', 'edgeadm package build --with load-balancer')
  if (edges > 0 && !files.some((file) => file.path === 'bin/edgecore'))
    lacks('edgecore', 'edge nodes need', 'edgeadm package build')
}
