import type { NodeContext } from '../context.ts'
import { existingContainerd } from '../runtime/existing-containerd.ts'
import type { Problem } from './checks.ts'

/** What the kubelet and kubeadm 1.33 call (kubeadm's FileExisting checks), and what edgeadm itself calls. */
const REQUIRED = ['mount', 'losetup', 'cp', 'systemctl', 'sysctl', 'modprobe', 'ip', 'ss', 'tar'] as const
/** CNI's portmap plugin calls it for host ports. */
const USEFUL = ['iptables'] as const

/** Programs that must be there, and a container runtime that can stay if there is one. */
export async function checkPrograms(ctx: NodeContext): Promise<Problem[]> {
  const { host, manifest } = ctx
  const problems: Problem[] = []
  for (const [programs, severity] of [
    [REQUIRED, 'error'],
    [USEFUL, 'warning'],
  ] as const) {
    for (const program of programs) {
      if (await isInPath(host, program)) continue
      problems.push({
        check: `FileExisting-${program}`,
        severity,
        text: `${program} not found in system path`,
      })
    }
  }
  const existing = await existingContainerd(host)
  if (existing.state === 'unsuitable') {
    problems.push(...existing.problems.map((text) => ({ check: 'CRI', severity: 'error' as const, text })))
  }
  if (existing.state === 'none' && manifest === undefined && !(await isInPath(host, 'kubeadm'))) {
    problems.push({
      check: 'Package',
      severity: 'error',
      text: 'there is no kubeadm on this machine and no package was given: name one with --install-pkg-path',
    })
  }
  return problems
}

async function isInPath(host: NodeContext['host'], program: string): Promise<boolean> {
  for (const directory of ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']) {
    if ((await host.stat(`${directory}/${program}`)) !== undefined) return true
  }
  return false
}
