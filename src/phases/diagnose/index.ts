import type { Host } from '../../host/host.ts'

/** Lines worth quoting at most, per source. */
const LINES = 6

/**
 * The likely cause of a failure or a time-out on this machine, one line each: state of the units, the last errors in the
 * kubelet's and containerd's journals, containers of the control plane that ended. Only looks; never fails itself.
 */
export async function diagnose(host: Host): Promise<string[]> {
  const found: string[] = []
  for (const unit of ['containerd.service', 'kubelet.service']) {
    const { ActiveState, SubState, Result, NRestarts } = await unitProperties(host, unit)
    if (ActiveState !== 'active')
      found.push(`${unit} is ${ActiveState} (${SubState}, ${Result}, restarted ${NRestarts} times)`)
    found.push(...(await journalErrors(host, unit)))
  }
  return [...found, ...(await failedContainers(host))]
}

async function unitProperties(host: Host, unit: string): Promise<Record<string, string>> {
  const output = await host.probe('systemctl', ['show', '-p', 'ActiveState,SubState,Result,NRestarts', unit])
  return Object.fromEntries(
    output.stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
}

async function journalErrors(host: Host, unit: string): Promise<string[]> {
  const journal = await host.probe('journalctl', ['-u', unit, '-n', '400', '--no-pager', '-o', 'cat'])
  const errors = journal.stdout
    .split('\n')
    .filter((line) =>
      /^E\d{4} |level=(error|fatal)|"level":"(error|fatal)"|failed to run Kubelet|^Error:/.test(line),
    )
    .map((line) => `${unit}: ${line.replace(/^E\d{4} [\d:.]+\s+\d+ /, '').slice(0, 300)}`)
  return [...new Set(errors)].slice(-LINES)
}

/** The last words of containers whose static Pods keep restarting: /var/log/pods/<ns>_<pod>_<uid>/<container>/<n>.log. */
async function failedContainers(host: Host): Promise<string[]> {
  const found: string[] = []
  for (const pod of await host.list('/var/log/pods')) {
    for (const container of await host.list(`/var/log/pods/${pod}`)) {
      const logs = await host.list(`/var/log/pods/${pod}/${container}`)
      const restarts = logs.map((name) => Number.parseInt(name, 10)).filter((n) => n > 0)
      if (restarts.length === 0) continue
      const last = Math.max(...restarts) - 1
      const text = (await host.readFile(`/var/log/pods/${pod}/${container}/${last}.log`)) ?? ''
      const words = text
        .trimEnd()
        .split('\n')
        .slice(-2)
        .map((line) => line.replace(/^\S+ (stdout|stderr) \S /, ''))
      found.push(
        `container ${container} of ${pod.split('_')[1] ?? pod} ended ${Math.max(...restarts)} times: ${words.join(' ').slice(0, 300)}`,
      )
    }
  }
  return found.slice(0, LINES)
}
