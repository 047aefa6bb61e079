/** Machines for the benchmark: fresh ones for each figure, one at a time, so that nothing else runs beside it. */

import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type CreateLabOptions, createLab, deleteLab, probeInMachine } from '../../src/lab/index.ts'
import { machinePaths } from '../../src/lab/paths.ts'
import { render, templateText } from '../../src/templates.ts'
import { EXECUTABLE, PACKAGE } from '../lab/artifacts.ts'

export const reporting = { emit: () => {}, signal: new AbortController().signal }
export const PACKAGE_IN_MACHINE = `/root/${basename(PACKAGE)}`

/** Boots fresh machines, hands them over, and removes them, whatever happens. */
export async function withLab<T>(
  options: Pick<CreateLabOptions, 'masters' | 'workers' | 'edges' | 'resolver'>,
  use: (lab: string) => Promise<T>,
): Promise<T> {
  const name = `bench-${process.pid}`
  await createLab({ name, executable: EXECUTABLE, package: PACKAGE, ...options }, reporting)
  try {
    return await use(name)
  } finally {
    await deleteLab(name, reporting)
  }
}

export interface Timed {
  readonly seconds: number
  readonly stdout: string
}

/** Runs a command in a machine and times it. @throws if it fails */
export async function timed(lab: string, machine: string, command: readonly string[]): Promise<Timed> {
  const start = performance.now()
  const result = await probeInMachine(lab, machine, command)
  const seconds = (performance.now() - start) / 1000
  if (result.exitCode !== 0)
    throw new Error(`${command.join(' ')} failed in ${machine}:\n${result.stderr.slice(-4000)}`)
  return { seconds, stdout: result.stdout }
}

/** Puts the scripts and the files that a user would have written by hand into a machine: the very files that edgeadm writes. */
export function prepareByHand(lab: string, machine: string): void {
  const directory = join(machinePaths(lab, machine).root, 'root/by-hand')
  mkdirSync(directory, { recursive: true })
  cpSync(new URL('by-hand/', import.meta.url), directory, { recursive: true })
  const bin = '/usr/local/bin'
  const files: Record<string, string> = {
    'containerd.service': render('runtime/containerd.service', {
      bin,
      proxyFile: '/etc/containerd/proxy.env',
    }),
    'config.toml': render('runtime/containerd-config.toml', {
      sandboxImage: 'registry.k8s.io/pause:3.10',
      runc: '/usr/local/sbin/runc',
    }),
    'kubelet.service': render('kubernetes/kubelet.service', { bin }),
    '10-kubeadm.conf': render('kubernetes/10-kubeadm.conf', { bin }),
    '10-bridge.conflist': render('edge/node/10-edgeadm.conflist', { subnet: '10.250.0.0/24' }),
    '10-flannel.conflist': templateText('kubernetes/flannel/10-flannel.conflist'),
    'flannel.yaml': render('kubernetes/flannel/flannel.yaml', {
      image: 'ghcr.io/flannel-io/flannel:v0.28.4',
      network: { Network: '10.244.0.0/16', EnableNFTables: false, Backend: { Type: 'vxlan' } },
      apiHost: '10.123.0.11',
      apiPort: '6443',
    }),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
}
