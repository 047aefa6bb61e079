import { SYSTEM_PATH } from '../../host/system-environment.ts'
import { isEdge, isSuperEdge, type NodeContext } from '../context.ts'
import { flannelImage } from '../kubernetes/flannel.ts'
import type { Problem } from '../problem.ts'
import { type ExistingContainerd, existingContainerd } from '../runtime/existing-containerd.ts'

/** What the kubelet and kubeadm 1.33 call (kubeadm's FileExisting checks), and what edgeadm itself calls. */
const REQUIRED = ['mount', 'losetup', 'cp', 'systemctl', 'sysctl', 'modprobe', 'ip', 'ss', 'tar'] as const
/** CNI's portmap plugin calls it for host ports. */
const USEFUL = ['iptables'] as const

/** Programs that must be there, and a container runtime that can stay if there is one. */
export async function checkPrograms(ctx: NodeContext): Promise<Problem[]> {
  const { host } = ctx
  const problems: Problem[] = []
  for (const [programs, severity] of [
    [REQUIRED, 'error'],
    // It closes lite-apiserver's port.
    [USEFUL, isSuperEdge(ctx.settings) ? 'error' : 'warning'],
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
  return [...problems, ...(await checkPackage(ctx, existing.state))]
}

/** What only a package can bring. A dry run goes on without: its plan leaves out what would come from there. */
async function checkPackage(ctx: NodeContext, containerd: ExistingContainerd['state']): Promise<Problem[]> {
  const { manifest, settings, skips } = ctx
  const severity = settings.dryRun ? 'warning' : 'error'
  if (manifest === undefined) {
    const missing = await missingPrograms(ctx, containerd)
    const text = `there is no ${missing.join(', no ')} on this machine and no package was given: name one with --install-pkg-path`
    if (missing.length > 0) return [{ check: 'Package', severity, text }]
  }
  const wantsFlannel = settings.command === 'init' && settings.cni === 'flannel' && !skips('cni/flannel')
  if (!wantsFlannel || flannelImage(ctx) !== undefined) return []
  const what = manifest === undefined ? 'no package was given' : 'the package has no flannel image'
  const text = `${what}, and flannel comes from one: name one with --install-pkg-path, or use --cni=none`
  return [{ check: 'Package', severity, text }]
}

/** What a node runs that is not here. A runtime other than containerd is kubeadm's to check. */
async function missingPrograms(
  { host, settings }: NodeContext,
  containerd: ExistingContainerd['state'],
): Promise<string[]> {
  const programs = isEdge(settings) ? ['edgecore'] : ['kubeadm', 'kubelet', 'kubectl']
  const missing: string[] = []
  for (const program of programs) if (!(await isInPath(host, program))) missing.push(program)
  const wantsContainerd = settings.node.criSocket.endsWith('/containerd.sock')
  return wantsContainerd && containerd === 'none' ? [...missing, 'containerd'] : missing
}

async function isInPath(host: NodeContext['host'], program: string): Promise<boolean> {
  for (const directory of SYSTEM_PATH.split(':')) {
    if ((await host.stat(`${directory}/${program}`)) !== undefined) return true
  }
  return false
}
