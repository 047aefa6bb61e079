/** What is done on one host: files, a run of edgeadm, and the record that says it is done. */

import pRetry from 'p-retry'
import { EdgeadmError } from '../output/errors.ts'
import type { Event } from '../output/events.ts'
import type { JoinData } from './documents.ts'
import { hostFlags, initConfig, joinConfig } from './documents.ts'
import type { HostRecord } from './facts.ts'
import { followRun, type HostRun, startRun } from './host-run.ts'
import type { FleetHost, Inventory } from './inventory.ts'
import { EXECUTABLE, FLEET_DIRECTORY, OWNS_EXECUTABLE, RECORD } from './paths.ts'
import type { KnownHost } from './plan.ts'
import type { FleetReport } from './report.ts'
import type { Session } from './session.ts'
import type { Connection } from './ssh/connection.ts'
import { ConnectionLost, Unreachable } from './ssh/errors.ts'

export interface HostWork {
  readonly inventory: Inventory
  readonly session: Session
  readonly report: FleetReport
  readonly signal: AbortSignal
}

export async function initHost(work: HostWork, known: KnownHost, packageFile: string): Promise<void> {
  const masters = work.inventory.hosts.filter(({ role, absent }) => role === 'master' && !absent)
  await runOn(work, known.host, {
    name: 'edgeadm init',
    config: initConfig(work.inventory, known.host),
    args: [
      'init',
      '--config=CONFIG',
      `--install-pkg-path=${packageFile}`,
      '--skip-token-print',
      '--skip-certificate-key-print',
      ...(masters.length > 1 ? ['--upload-certs'] : []),
      ...hostFlags(known.host, known.facts, true),
    ],
  })
}

export async function joinHost(
  work: HostWork,
  known: KnownHost,
  packageFile: string,
  data: JoinData,
  kubernetesVersion: string,
): Promise<void> {
  await runOn(work, known.host, {
    name: 'edgeadm join',
    config: joinConfig(work.inventory, known.host, data, kubernetesVersion),
    args: [
      'join',
      '--config=CONFIG',
      `--install-pkg-path=${packageFile}`,
      ...hostFlags(known.host, known.facts, false),
    ],
  })
}

/** The machine as it was; then all that the fleet keeps there goes too. */
export async function resetHost(work: HostWork, { host }: KnownHost): Promise<void> {
  await runOn(work, host, { name: 'edgeadm reset', args: ['reset', '--force'] })
  const connection = await work.session.connection(host)
  await connection.check(
    `${host.name}: what the fleet keeps there cannot be removed`,
    connection.runAsRoot('[ ! -e "$1" ] || rm -f "$2"; rm -rf "$3"', [
      OWNS_EXECUTABLE,
      EXECUTABLE,
      FLEET_DIRECTORY,
    ]),
  )
}

/** Written when all is done: from now on the host is one of the fleet. The package is not needed any more. */
export async function recordHost(work: HostWork, known: KnownHost, ca: string): Promise<void> {
  const { host } = known
  const record: HostRecord = {
    cluster: work.inventory.name,
    ca,
    node: host.name,
    role: host.role,
    time: new Date().toISOString(),
  }
  const connection = await work.session.connection(host)
  await connection.check(
    `${host.name}: ${RECORD} cannot be written`,
    connection.runAsRoot(
      'umask 077; mkdir -p "$(dirname "$1")" && cat > "$1.new" && sync "$1.new" && mv "$1.new" "$1"',
      [RECORD],
      {
        stdin: `${JSON.stringify(record)}\n`,
      },
    ),
  )
}

export async function removePackages(work: HostWork, host: FleetHost): Promise<void> {
  const connection = await work.session.connection(host)
  await connection.runAsRoot('rm -rf "$1/package"', [FLEET_DIRECTORY])
}

/** A host that reboots, or whose network is away for a while, is waited for: some five minutes. */
function patiently(session: Session, host: FleetHost, signal: AbortSignal): Promise<Connection> {
  return pRetry(() => session.connection(host), {
    retries: 30,
    factor: 1,
    minTimeout: 5000,
    signal,
    shouldRetry: ({ error }) => error instanceof Unreachable || error instanceof ConnectionLost,
  })
}

/** A run that a reboot or a kill ended goes on when it is started again: once. */
async function runOn(work: HostWork, host: FleetHost, run: HostRun): Promise<void> {
  const { session, report, signal } = work
  const reconnect = () => patiently(session, host, signal)
  const onEvent = (event: Event) => report.hostEvent(host, event)
  for (let attempt = 1; ; attempt += 1) {
    const connection = await reconnect()
    await startRun(connection, host.name, run)
    const { exitCode, error, stderr } = await followRun(connection, reconnect, onEvent, signal)
    if (exitCode === 0) return
    if (error?.class === 'residue') {
      // The reset is done; what it could not put back is named.
      report.warn(`${host.name}: ${[error.message, ...error.details].join('; ')}`)
      return
    }
    if (exitCode === 'lost' && attempt === 1) continue
    throw error === undefined
      ? new EdgeadmError('phase', `${host.name}: \`${run.name}\` ended with exit code ${exitCode}`, {
          details: stderr.trim().split('\n').slice(-10),
        })
      : new EdgeadmError(error.class, `${host.name}: ${error.message}`, {
          ...(error.fix === undefined ? {} : { fix: error.fix }),
          details: error.details,
        })
  }
}
