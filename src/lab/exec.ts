/** Commands inside a machine. A machine that does not run is an error; the host never stands in for it. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { EdgeadmError } from '../output/errors.ts'
import { findCgroups, inCgroups } from './cgroups.ts'
import { type CommandOptions, type CommandResult, exitCodeOf, probe } from './command.ts'
import { requireRunning } from './running.ts'

/** What a login of root would set. KUBECONFIG does no harm where the file is not there. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
  LANG: 'C.UTF-8',
  KUBECONFIG: '/etc/kubernetes/admin.conf',
}

/**
 * The command line that runs `command` in all namespaces and control groups of the machine. If it is killed on the
 * host, the command inside is told to end (SIGTERM).
 */
async function enter(
  lab: string,
  machine: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<[string, ...string[]]> {
  const { leader } = await requireRunning(lab, machine)
  const variables = Object.entries({ ...ENVIRONMENT, ...environment }).map(
    ([key, value]) => `${key}=${value}`,
  )
  return inCgroups((await findCgroups(lab, machine)).map(leafOf), [
    ...[
      'nsenter',
      `--target=${leader}`,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
      '--root',
      '--',
    ],
    ...['setpriv', '--pdeathsig=TERM', 'env', '--default-signal', '--ignore-environment', '--chdir=/root'],
    ...variables,
    ...command,
  ])
}

/** Version 2 takes processes only in groups without groups below; systemd-nspawn makes itself such a one. */
function leafOf(group: string): string {
  const leaf = join(group, 'supervisor')
  return existsSync(leaf) ? leaf : group
}

/** Runs a command in a machine and keeps what it writes. Resolves with any exit code. */
export async function probeInMachine(
  lab: string,
  machine: string,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { env, ...others } = options
  const [file, ...args] = await enter(lab, machine, command, env)
  return probe(file, args, others)
}

/** As {@link probeInMachine}, and resolves with standard output. @throws {EdgeadmError} class `phase` unless it exits with 0 */
export async function runInMachine(
  lab: string,
  machine: string,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await probeInMachine(lab, machine, command, options)
  if (result.exitCode === 0) return result.stdout
  throw new EdgeadmError(
    'phase',
    `${command.join(' ')} failed in ${machine} with exit code ${result.exitCode}`,
    {
      details: `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => line.trim() !== ''),
    },
  )
}

/** Runs a command in a machine on this process's own terminal, or its standard streams. Resolves with its exit code. */
export async function attachInMachine(
  lab: string,
  machine: string,
  command: readonly string[],
): Promise<number> {
  const terminal = process.env.TERM ? { TERM: process.env.TERM } : undefined
  const line = await enter(lab, machine, command, terminal)
  // Ctrl-C reaches all processes on the terminal: nsenter would end at once, before the command has had its say.
  const [file, ...args] = ['sh', '-c', 'trap "" INT QUIT; exec "$@"', 'sh', ...line] as const
  const result = await execa(file, args, { stdio: 'inherit', reject: false })
  return exitCodeOf(result)
}
