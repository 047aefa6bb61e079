import type { Host } from '../../host/host.ts'

/** Lines worth quoting at most. */
const LINES = 6

/** As `systemctl show` names them. */
const PROPERTIES = 'ActiveState,SubState,Result,NRestarts,ExecMainExitTimestampMonotonic'

/** The {@link PROPERTIES} of a unit. */
export async function unitProperties(host: Host, unit: string): Promise<Record<string, string>> {
  const output = await host.probe('systemctl', ['show', '-p', PROPERTIES, unit])
  return Object.fromEntries(
    output.stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
}

const ERROR =
  /^E\d{4} |level=(error|fatal)|"level":"(error|fatal)"|failed to run Kubelet|^Error:|^containerd: /

/** The last errors in a unit's journal of this boot, without klog's heads, each once, oldest first. */
export async function lastErrors(host: Host, unit: string): Promise<string[]> {
  const journal = await host.probe('journalctl', [
    ...['-b', '-u', unit, '-n', '400', '--no-pager', '-o', 'cat'],
  ])
  const errors = journal.stdout
    .split('\n')
    .filter((line) => ERROR.test(line))
    .map((line) => line.replace(/^E\d{4} [\d:.]+\s+\d+ \S+\] /, '').slice(0, 300))
  // The last of equal ones counts: the order in which they were last said.
  return [...new Set(errors.reverse())].reverse().slice(-LINES)
}
