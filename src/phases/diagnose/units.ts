import type { Look } from '../../host/host.ts'

/** Lines worth quoting at most. */
const LINES = 6

/** As `systemctl show` names them. */
const PROPERTIES = 'ActiveState,SubState,Result,NRestarts,ExecMainExitTimestampMonotonic'

/** The {@link PROPERTIES} of a unit. */
export async function unitProperties(host: Look, unit: string): Promise<Record<string, string>> {
  const output = await host.probe('systemctl', ['show', '-p', PROPERTIES, unit])
  return Object.fromEntries(
    output.stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
}

const ERROR =
  /^E\d{4} |level=(error|fatal)|"level":"(error|fatal)"|failed to run Kubelet|^Error:|^containerd: /

/**
 * The last errors in a unit's journal, without klog's heads, each once, oldest first.
 * @param since `run`: what it said since this edgeadm was started, since older lines are of causes that may be mended; `boot`: of this boot
 */
export async function lastErrors(host: Look, unit: string, since: 'run' | 'boot' = 'run'): Promise<string[]> {
  const start = since === 'run' ? [`--since=@${Math.floor(performance.timeOrigin / 1000)}`] : []
  const journal = await host.probe('journalctl', [
    ...['-b', ...start, '-u', unit, '-n', '400', '--no-pager', '-o', 'cat'],
  ])
  return errorsIn(journal.stdout)
}

/** A server that refuses this machine's credentials or certificate: other errors follow from it. */
const REFUSED = /\bUnauthorized\b|x509: /

/** Errors that others follow from come first. */
export function causesFirst(lines: readonly string[]): string[] {
  return lines.toSorted((one, other) => Number(REFUSED.test(other)) - Number(REFUSED.test(one)))
}

export function errorsIn(journal: string): string[] {
  const errors = journal
    .split('\n')
    .filter((line) => ERROR.test(line))
    .map((line) => line.replace(/^E\d{4} [\d:.]+\s+\d+ \S+\] /, '').slice(0, 300))
  // The last of equal ones counts: the order in which they were last said.
  const distinct = [...new Set(errors.reverse())].reverse()
  const causes = distinct.filter((line) => REFUSED.test(line)).slice(-1)
  return [...new Set([...causes, ...distinct.slice(-LINES)])]
}
