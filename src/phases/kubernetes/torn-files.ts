/** What a power cut leaves of kubeadm's files. kubeadm does not wait for the disk, and takes a file that is there as made. */

import { join } from 'node:path'
import type { NodeContext } from '../context.ts'

/** Where kubeadm and the kubelet write small files. */
const DIRECTORIES = ['/etc/kubernetes', '/var/lib/kubelet/pki']
const FILES = ['/var/lib/kubelet/config.yaml', '/var/lib/kubelet/kubeadm-flags.env']

/** False for a file that is not there, is empty, or holds zeros alone: its size had been written and its data had not. */
export function holdsSomething(text: string | undefined): boolean {
  return text !== undefined && /[^\0]/.test(text)
}

/**
 * Removes files that hold nothing, so that kubeadm makes them. To be called when a run was interrupted by the machine going
 * down. Reset puts back one that was there before edgeadm.
 */
export async function removeTornFiles({ host, settings, emit }: NodeContext): Promise<void> {
  const certDir = settings.command === 'init' ? [settings.certDir] : []
  const paths = new Set([...FILES])
  for (const directory of [...DIRECTORIES, ...certDir])
    for (const path of await filesBelow(host, directory)) paths.add(path)
  for (const path of paths) {
    if ((await host.stat(path))?.type !== 'file' || holdsSomething(await host.readFile(path))) continue
    emit({ type: 'warning', text: `${path} is empty since the machine went down: it is made anew` })
    await host.remove(path)
  }
}

async function filesBelow(host: NodeContext['host'], directory: string): Promise<string[]> {
  const found: string[] = []
  for (const name of await host.list(directory)) {
    const path = join(directory, name)
    const type = (await host.stat(path))?.type
    if (type === 'directory') found.push(...(await filesBelow(host, path)))
    else if (type === 'file') found.push(path)
  }
  return found
}
