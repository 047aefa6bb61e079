import type { Look } from '../../host/host.ts'
import type { NodeContext } from '../context.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

/**
 * What the kernel must be able to do, and where it shows that it can. A feature that is built in has no module to load,
 * and a container has no modules at all: the evidence decides, not the module.
 */
const FEATURES = [
  { module: 'overlay', why: 'containerd keeps images in it', isThere: hasFileSystem('overlay') },
  {
    module: 'br_netfilter',
    why: 'Services are reached across the bridge by it',
    isThere: hasPath('/proc/sys/net/bridge'),
  },
] as const

function hasPath(path: string): (host: Look) => Promise<boolean> {
  return async (host) => (await host.stat(path)) !== undefined
}

function hasFileSystem(name: string): (host: Look) => Promise<boolean> {
  return async (host) => ((await host.readFile('/proc/filesystems')) ?? '').split(/\s+/).includes(name)
}

/** Kernel features that are not there and whose modules this kernel does not have either. */
export async function missingFeatures(host: Look): Promise<string[]> {
  const missing: string[] = []
  for (const { module, why, isThere } of FEATURES) {
    if (await isThere(host)) continue
    if ((await host.probe('modprobe', ['--dry-run', module])).exitCode !== 0)
      missing.push(`${module} (${why})`)
  }
  return missing
}

export const modules: Phase<NodeContext> = {
  name: 'node/modules',
  title: 'Load kernel modules',
  verify: async ({ host }) => {
    for (const { isThere } of FEATURES) if (!(await isThere(host))) return false
    return true
  },
  run: async ({ host }) => {
    await templateFile(host, '/etc/modules-load.d/edgeadm.conf', 'node/modules.conf', {
      modules: FEATURES.map(({ module }) => module),
    })
    for (const { module, isThere } of FEATURES)
      if (!(await isThere(host))) for (const name of await withNeeds(host, module)) await host.module(name)
  },
}

/**
 * The module after those that it needs. Each is loaded, and recorded, by itself, so that reset knows all of them.
 */
async function withNeeds(host: Look, module: string): Promise<string[]> {
  const { stdout } = await host.probe('modprobe', ['--show-depends', module])
  return neededModules(stdout, module)
}

/** @param text lines of `modprobe --show-depends`: `insmod /lib/modules/…/llc.ko.xz`, in the order of loading, or `builtin overlay` */
export function neededModules(text: string, module: string): string[] {
  const names = [...text.matchAll(/^insmod \S*\/([^/\s]+?)\.ko\S*/gm)].map(([, name = '']) =>
    name.replaceAll('-', '_'),
  )
  return names.includes(module) ? names : [...names, module]
}
