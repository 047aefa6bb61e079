/** Kernel modules of this machine, through the host. */

import type { Look } from './host.ts'

/** Names of the loaded modules with their use counts, from /proc/modules (proc(5)). Empty for a kernel without modules. */
export async function loadedModules(host: Look): Promise<Map<string, number>> {
  return parseModules((await host.readFile('/proc/modules')) ?? '')
}

/** @param text lines as `veth 18706 0 - Live 0x0000000000000000` */
export function parseModules(text: string): Map<string, number> {
  const modules = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [name, , useCount] = line.split(' ')
    if (name !== undefined && useCount !== undefined) modules.set(name, Number(useCount))
  }
  return modules
}

/** Whether the kernel has it only as a module, and has not loaded it: then nothing uses it, and a look would load it. */
export async function isLeftUnloaded(host: Look, module: string): Promise<boolean> {
  if ((await loadedModules(host)).has(module)) return false
  const { stdout, exitCode } = await host.probe('modprobe', ['--show-depends', module])
  return exitCode === 0 && stdout.includes(`/${module}.ko`)
}
