/** Starts a machine: systemd-nspawn with the options that Kubernetes nodes need, in the lab's network. */

import { spawn } from 'node:child_process'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import { inCgroups, makeCgroups, systemdRuns } from './cgroups.ts'
import { run } from './command.ts'
import { BRIDGE, cgroupName, machinePaths, networkNamespaceFile } from './paths.ts'
import { identify, type ProcessIdentity } from './processes.ts'
import type { LabState } from './state.ts'

/**
 * System calls beside nspawn's own list: what containers inside need (keyrings, eBPF, mounts, privileged Pods). Not the
 * host's swap, clock, modules, kernel or power, which are no machine's to change.
 */
const SYSTEM_CALLS = [
  '@keyring bpf @mount @known @privileged',
  '~@swap ~@clock ~@module kexec_load kexec_file_load',
]

/** What the machine is given by the host, read-only, without copying it: [host path, path inside]. */
function readOnlyBinds(lab: LabState): [string, string][] {
  const binds: [string, string][] = []
  if (lab.executable) binds.push([lab.executable, '/usr/local/bin/edgeadm'])
  if (lab.package) binds.push([lab.package, `/root/${basename(lab.package)}`])
  return binds
}

function nspawnArguments(lab: LabState, machine: string): string[] {
  return [
    '--register=no',
    '--keep-unit',
    '--boot',
    '--quiet',
    `--directory=${machinePaths(lab.name, machine).root}`,
    `--machine=${machine}`,
    `--network-bridge=${BRIDGE}`,
    '--capability=all',
    ...SYSTEM_CALLS.map((list) => `--system-call-filter=${list}`),
    '--bind=/dev/kmsg',
    ...readOnlyBinds(lab).map(([from, to]) => `--bind-ro=${escapeBind(from)}:${escapeBind(to)}`),
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=read-only',
  ]
}

function escapeBind(path: string): string {
  return path.replaceAll('\\', '\\\\').replaceAll(':', '\\:')
}

/** Writes /proc/sys and /sys of the machine's own namespaces, as a kubelet and kube-proxy have to. */
const NSPAWN_ENVIRONMENT = { SYSTEMD_NSPAWN_API_VFS_WRITABLE: '1' }

/**
 * Starts the machine and writes down which process it is.
 * The namespace is entered by nsenter: `ip netns exec` would mount a /sys over the one that shows the control groups.
 */
export async function launch(lab: LabState, machine: string): Promise<ProcessIdentity> {
  const paths = machinePaths(lab.name, machine)
  await mkdir(paths.directory, { recursive: true })
  const command = [
    'nsenter',
    `--net=${networkNamespaceFile(lab.name)}`,
    'systemd-nspawn',
    ...nspawnArguments(lab, machine),
  ]
  const pid = systemdRuns()
    ? await launchAsUnit(lab.name, machine, command)
    : await launchDetached(lab.name, machine, command)
  const identity = await identify(pid)
  if (!identity) throw new EdgeadmError('phase', `the machine ${machine} ended at once; see ${paths.console}`)
  await writeFile(paths.process, JSON.stringify(identity))
  return identity
}

/** Hosts with systemd: a transient unit, whose control group systemd hands over. */
async function launchAsUnit(lab: string, machine: string, command: readonly string[]): Promise<number> {
  const unit = `${cgroupName(lab, machine)}.service`
  const output = `append:${machinePaths(lab, machine).console}`
  const properties = ['Delegate=yes', 'TasksMax=infinity', 'KillMode=mixed', 'CollectMode=inactive-or-failed']
  properties.push(`StandardOutput=${output}`, `StandardError=${output}`)
  await run('systemd-run', [
    '--quiet',
    `--unit=${unit}`,
    '--slice=machine.slice',
    ...properties.map((property) => `--property=${property}`),
    ...Object.entries(NSPAWN_ENVIRONMENT).map(([key, value]) => `--setenv=${key}=${value}`),
    ...command,
  ])
  return Number(await run('systemctl', ['show', '--property=MainPID', '--value', unit]))
}

async function launchDetached(lab: string, machine: string, command: readonly string[]): Promise<number> {
  const [file, ...args] = inCgroups(await makeCgroups(lab, machine), command)
  const log = await open(machinePaths(lab, machine).console, 'a')
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, ...NSPAWN_ENVIRONMENT },
      cwd: '/',
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    return child.pid as number
  } finally {
    await log.close()
  }
}
