/** Names and places of a lab: everything it makes on the host can be found again from the lab's name alone. */

import { homedir } from 'node:os'
import { join } from 'node:path'

/** Root file systems of machines must lie on a real file system (containerd's overlay needs one), so not under /run or /tmp. */
export const STATE_ROOT = '/var/lib/edgeadm-lab'

/** What the labs changed on the host as a whole (sysctls, the mount of /run/netns); put back with the last lab. */
export const HOST_STATE = join(STATE_ROOT, '.host.json')

export const DEFAULT_LAB = 'quickstart'

/** Name of the bridge inside the lab's network namespace. */
export const BRIDGE = 'lab0'

export function labDirectory(lab: string): string {
  return join(STATE_ROOT, lab)
}

export function labFile(lab: string): string {
  return join(labDirectory(lab), 'lab.json')
}

export interface MachinePaths {
  readonly directory: string
  /** The machine's root file system. */
  readonly root: string
  /** What systemd-nspawn and the machine's console wrote. */
  readonly console: string
  /** Which process the machine is, while it runs. */
  readonly process: string
  /** State of every file when the machine had booted for the first time. */
  readonly baseline: string
}

export function machinePaths(lab: string, machine: string): MachinePaths {
  const directory = join(labDirectory(lab), 'machines', machine)
  return {
    directory,
    root: join(directory, 'root'),
    console: join(directory, 'console.log'),
    process: join(directory, 'process.json'),
    baseline: join(directory, 'baseline.json'),
  }
}

export function networkNamespace(lab: string): string {
  return `edgeadm-${lab}`
}

export function networkNamespaceFile(lab: string): string {
  return `/run/netns/${networkNamespace(lab)}`
}

/** Names of labs and machines have no dot, so that this prefix belongs to one lab only. */
export function cgroupPrefix(lab: string): string {
  return `edgeadm-lab.${lab}.`
}

/** Name of a machine's cgroup, and on hosts with systemd of its unit without `.service`. */
export function cgroupName(lab: string, machine: string): string {
  return `${cgroupPrefix(lab)}${machine}`
}

/** Where base images are kept, one directory per recipe. */
export function baseImageCache(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'edgeadm', 'lab-base')
}
