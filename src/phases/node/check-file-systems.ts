import type { Look } from '../../host/host.ts'
import { BIN, isControlPlane, type NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'

/** Programs are put there and started from there. */
const PROGRAMS = [BIN, '/opt/cni/bin']
const DATA = ['/etc', '/var/lib']
const MASTERS_DATA = ['/etc/kubernetes', '/var/lib/etcd']

/** Whether what has to be written can be, and what is installed can be started. */
export async function checkFileSystems({ host, settings }: NodeContext): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const path of [...PROGRAMS, ...DATA, ...(isControlPlane(settings) ? MASTERS_DATA : [])]) {
    const mount = await mountOf(host, path)
    if (mount === undefined) continue
    const refused = mount.options.includes('ro')
      ? 'read-only'
      : PROGRAMS.includes(path) && mount.options.includes('noexec')
        ? 'noexec'
        : undefined
    if (refused === undefined) continue
    const text = `${path} is on ${mount.target}, which is mounted ${refused}: \`mount -o remount,${refused === 'noexec' ? 'exec' : 'rw'} ${mount.target}\`, and change it in /etc/fstab`
    if (!problems.some((one) => one.text === text))
      problems.push({ check: 'FileSystem', severity: 'error', text })
  }
  return problems
}

/** The mount that `path` is on or will be on, by findmnt(8) of util-linux; undefined where it cannot say. */
async function mountOf(host: Look, path: string): Promise<{ target: string; options: string[] } | undefined> {
  let existing = path
  while ((await host.stat(existing)) === undefined && existing !== '')
    existing = existing.replace(/\/[^/]*$/, '')
  const output = await host.probe('findmnt', [
    ...['--json', '--output', 'TARGET,OPTIONS', '--target', existing || '/'],
  ])
  if (output.exitCode !== 0 || !output.stdout.startsWith('{')) return undefined
  const found = (JSON.parse(output.stdout) as { filesystems: { target: string; options: string }[] })
    .filesystems[0]
  return found === undefined ? undefined : { target: found.target, options: found.options.split(',') }
}
